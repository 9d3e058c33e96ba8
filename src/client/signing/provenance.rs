//! The SLSA provenance of a CI job, from its environment variables.
//!
//! Each variable is read by its name, and none of them holds a secret.

use serde_json::{Value, json};

use super::error::SigningError;

/// The build type that GitHub documents for its workflows.
const GITHUB_BUILD: &str = "https://actions.github.io/buildtypes/workflow/v1";
/// The build type that GitLab documents for its jobs.
const GITLAB_BUILD: &str = "https://docs.gitlab.com/ci/pipeline_security/slsa/provenance_v1";

/// The variables of a CI job.
struct Job<'a>(&'a dyn Fn(&str) -> Option<String>);

/// Returns the provenance of the CI job whose variables `variable` returns (SLSA, "Build: Provenance", version 1).
pub(super) fn of_ci(variable: &dyn Fn(&str) -> Option<String>) -> Result<Value, SigningError> {
    let job = Job(variable);
    let said = if job.is_set("GITHUB_ACTIONS") {
        job.of_github()?
    } else if job.is_set("GITLAB_CI") {
        job.of_gitlab()?
    } else {
        return Err(SigningError::NotInCi);
    };
    Ok(without_absent(said))
}

/// Removes members that are null. The job does not set their variables.
fn without_absent(value: Value) -> Value {
    let Value::Object(members) = value else {
        return value;
    };
    let members = members.into_iter();
    let said = members.filter(|(_, member)| !member.is_null());
    Value::Object(
        said.map(|(name, member)| (name, without_absent(member)))
            .collect(),
    )
}

impl Job<'_> {
    fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value == "true")
    }

    fn require(&self, name: &'static str) -> Result<String, SigningError> {
        self.get(name).ok_or(SigningError::CiVariable(name))
    }

    fn of_github(&self) -> Result<Value, SigningError> {
        let server = self.require("GITHUB_SERVER_URL")?;
        let project = self.require("GITHUB_REPOSITORY")?;
        let repository = format!("{server}/{project}");
        let reference = self.require("GITHUB_REF")?;
        // OWNER/NAME/PATH@REF
        let workflow = self.require("GITHUB_WORKFLOW_REF")?;
        let (place, workflow_reference) = workflow
            .split_once('@')
            .ok_or(SigningError::CiVariable("GITHUB_WORKFLOW_REF"))?;
        let path = place.strip_prefix(&format!("{project}/")).unwrap_or(place);
        let (run, attempt) = (
            self.require("GITHUB_RUN_ID")?,
            self.get("GITHUB_RUN_ATTEMPT"),
        );
        let attempt = attempt.unwrap_or_else(|| "1".to_owned());
        Ok(json!({
            "buildDefinition": {
                "buildType": GITHUB_BUILD,
                "externalParameters": {
                    "workflow": { "ref": workflow_reference, "repository": repository, "path": path },
                },
                "internalParameters": {
                    "github": {
                        "event_name": self.get("GITHUB_EVENT_NAME"),
                        "repository_id": self.get("GITHUB_REPOSITORY_ID"),
                        "repository_owner_id": self.get("GITHUB_REPOSITORY_OWNER_ID"),
                        "runner_environment": self.get("RUNNER_ENVIRONMENT"),
                    },
                },
                "resolvedDependencies": [source(&repository, &reference, &self.require("GITHUB_SHA")?)],
            },
            "runDetails": {
                "builder": { "id": format!("{server}/{workflow}") },
                "metadata": { "invocationId": format!("{repository}/actions/runs/{run}/attempts/{attempt}") },
            },
        }))
    }

    fn of_gitlab(&self) -> Result<Value, SigningError> {
        let server = self.require("CI_SERVER_URL")?;
        let repository = self.require("CI_PROJECT_URL")?;
        let reference = self.require("CI_COMMIT_REF_NAME")?;
        let kind = if self.get("CI_COMMIT_TAG").is_some() {
            "tags"
        } else {
            "heads"
        };
        let reference = format!("refs/{kind}/{reference}");
        let runner = self.require("CI_RUNNER_ID")?;
        Ok(json!({
            "buildDefinition": {
                "buildType": GITLAB_BUILD,
                // GitLab's own provenance lists the variables of the job here. They are left out, because some are secrets.
                "externalParameters": {
                    "source": repository,
                    "entryPoint": self.require("CI_JOB_NAME")?,
                },
                "internalParameters": {
                    "architecture": self.get("CI_RUNNER_EXECUTABLE_ARCH"),
                    "job": self.get("CI_JOB_ID"),
                    "name": self.get("CI_RUNNER_DESCRIPTION"),
                    "config": self.get("CI_CONFIG_PATH"),
                    "pipeline_source": self.get("CI_PIPELINE_SOURCE"),
                },
                "resolvedDependencies": [source(&repository, &reference, &self.require("CI_COMMIT_SHA")?)],
            },
            "runDetails": {
                "builder": { "id": format!("{server}/-/runners/{runner}") },
                "metadata": {
                    "invocationId": self.require("CI_JOB_URL")?,
                    "startedOn": self.get("CI_JOB_STARTED_AT"),
                },
            },
        }))
    }
}

/// Returns the resource descriptor of the commit that was built.
fn source(repository: &str, reference: &str, commit: &str) -> Value {
    json!({
        "uri": format!("git+{repository}@{reference}"),
        "digest": { "gitCommit": commit },
    })
}

#[cfg(test)]
#[path = "tests/provenance.rs"]
mod tests;
