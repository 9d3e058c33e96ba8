use std::collections::BTreeMap;

use super::*;

fn provenance(variables: &BTreeMap<&str, &str>) -> Result<Value, SigningError> {
    of_ci(&|name| variables.get(name).map(|value| (*value).to_owned()))
}

fn github() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_REPOSITORY", "acme/demo"),
        ("GITHUB_REPOSITORY_ID", "1"),
        ("GITHUB_REF", "refs/tags/v1"),
        ("GITHUB_SHA", "0123"),
        ("GITHUB_EVENT_NAME", "push"),
        (
            "GITHUB_WORKFLOW_REF",
            "acme/demo/.github/workflows/release.yml@refs/heads/main",
        ),
        ("GITHUB_RUN_ID", "7"),
        ("GITHUB_RUN_ATTEMPT", "2"),
        ("RUNNER_ENVIRONMENT", "github-hosted"),
        ("GITHUB_TOKEN", "hidden"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "hidden"),
    ])
}

fn gitlab() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        ("GITLAB_CI", "true"),
        ("CI_SERVER_URL", "https://gitlab.example"),
        ("CI_PROJECT_URL", "https://gitlab.example/acme/demo"),
        ("CI_COMMIT_REF_NAME", "v1"),
        ("CI_COMMIT_TAG", "v1"),
        ("CI_COMMIT_SHA", "0123"),
        ("CI_RUNNER_ID", "5"),
        ("CI_JOB_NAME", "publish"),
        ("CI_JOB_ID", "9"),
        ("CI_JOB_URL", "https://gitlab.example/acme/demo/-/jobs/9"),
        ("CI_JOB_TOKEN", "hidden"),
        ("SIGSTORE_ID_TOKEN", "hidden"),
    ])
}

#[test]
fn github_names_the_workflow_the_commit_and_the_run() {
    let said = provenance(&github()).unwrap();
    let expected = json!({
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {
                "workflow": {
                    "ref": "refs/heads/main",
                    "repository": "https://github.com/acme/demo",
                    "path": ".github/workflows/release.yml",
                },
            },
            "internalParameters": {
                "github": {
                    "event_name": "push",
                    "repository_id": "1",
                    "runner_environment": "github-hosted",
                },
            },
            "resolvedDependencies": [{
                "uri": "git+https://github.com/acme/demo@refs/tags/v1",
                "digest": { "gitCommit": "0123" },
            }],
        },
        "runDetails": {
            "builder": {
                "id": "https://github.com/acme/demo/.github/workflows/release.yml@refs/heads/main",
            },
            "metadata": {
                "invocationId": "https://github.com/acme/demo/actions/runs/7/attempts/2",
            },
        },
    });
    assert_eq!(said, expected);
}

#[test]
fn gitlab_names_the_job_the_commit_and_the_runner() {
    let said = provenance(&gitlab()).unwrap();
    let expected = json!({
        "buildDefinition": {
            "buildType": "https://docs.gitlab.com/ci/pipeline_security/slsa/provenance_v1",
            "externalParameters": {
                "source": "https://gitlab.example/acme/demo",
                "entryPoint": "publish",
            },
            "internalParameters": { "job": "9" },
            "resolvedDependencies": [{
                "uri": "git+https://gitlab.example/acme/demo@refs/tags/v1",
                "digest": { "gitCommit": "0123" },
            }],
        },
        "runDetails": {
            "builder": { "id": "https://gitlab.example/-/runners/5" },
            "metadata": { "invocationId": "https://gitlab.example/acme/demo/-/jobs/9" },
        },
    });
    assert_eq!(said, expected);
    let mut branch = gitlab();
    branch.remove("CI_COMMIT_TAG");
    let said = provenance(&branch).unwrap().to_string();
    assert!(said.contains("@refs/heads/v1"), "{said}");
}

#[test]
fn no_secret_of_the_job_is_in_the_statement() {
    for variables in [github(), gitlab()] {
        let said = provenance(&variables).unwrap().to_string();
        assert!(!said.contains("hidden"), "{said}");
    }
}

#[test]
fn a_shell_and_a_job_that_says_too_little_have_errors_of_their_own() {
    assert!(matches!(
        provenance(&BTreeMap::new()),
        Err(SigningError::NotInCi)
    ));
    for (variables, missing) in [(github(), "GITHUB_SHA"), (gitlab(), "CI_JOB_URL")] {
        let mut variables = variables;
        variables.remove(missing);
        let error = provenance(&variables).unwrap_err();
        assert!(matches!(error, SigningError::CiVariable(name) if name == missing));
    }
    let mut variables = github();
    variables.insert("GITHUB_WORKFLOW_REF", "acme/demo");
    let error = provenance(&variables).unwrap_err();
    assert!(matches!(
        error,
        SigningError::CiVariable("GITHUB_WORKFLOW_REF")
    ));
}
