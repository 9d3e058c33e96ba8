//! Rotation: an account hands over to another one, and hosts follow it.

use std::fs;
use std::path::Path;

use wasmcloud_par::archive::{ArchiveWriter, Compression, Input, Key, Metadata, Signer};
use wasmcloud_par::content::Silent;

use super::super::{digest, par, peer, text};
use super::{Publisher, Site};
use crate::support::Outcome;
use crate::support::archives::{ArchiveBuilder, VENDOR, noise};

const OLD: &str = "registry.test/org/provider:1.0.0";
const NEW: &str = "registry.test/org/provider:2.0.0";

/// One provider, and the accounts that publish it one after the other.
struct Handover {
    site: Site,
    accounts: [Publisher; 3],
}

impl Handover {
    fn new() -> Self {
        let first = Publisher::new();
        let service = first.service.clone();
        let next = || Publisher {
            service: service.clone(),
            ..Publisher::new()
        };
        let accounts = [next(), next(), first];
        let handover = Self {
            site: Site::new(),
            accounts,
        };
        for (index, publisher) in handover.accounts.iter().enumerate() {
            let seed = publisher.account.seed().unwrap();
            let name = format!("keys/account{index}_account.nk");
            handover.site.environment.write(&name, seed);
        }
        handover
    }

    /// Signs a statement of one account about another. Returns the name of its file.
    fn statement(&self, from: usize, to: usize, options: &[&str]) -> String {
        let name = format!("{from}-{to}-{}.jwt", options.len());
        let keys = [
            "keys",
            "rotate",
            "--directory",
            "keys",
            "--from",
            &format!("account{from}_account"),
            "--to",
            &self.accounts[to].issuer(),
            "--provider",
            &self.accounts[0].subject(),
            "--destination",
            &name,
        ];
        let made = self.site.environment.par([&keys[..], options].concat());
        assert_eq!(made.success().line(), name);
        name
    }

    /// Pushes an archive of an account, with this statement. Without one, the tag may change its publisher.
    fn push(&self, reference: &str, archive: ArchiveBuilder, statement: Option<&str>) -> Outcome {
        let file = self.site.environment.write("pushed.par", archive.build());
        let nobodys = self.site.environment.write("nobodys.toml", "");
        let mut arguments = vec!["push", reference, text(&file), "--trust", text(&nobodys)];
        match statement {
            Some(file) => arguments.extend(["--rotation", file]),
            None => arguments.push("--change-identity"),
        }
        self.site.environment.par(arguments)
    }

    fn issuer(&self, index: usize) -> String {
        self.accounts[index].issuer()
    }
}

#[test]
fn a_host_follows_a_statement_and_runs_old_and_new_tags_side_by_side() {
    let handover = Handover::new();
    let (site, [jane, team, _]) = (&handover.site, &handover.accounts);
    handover.push(OLD, jane.archive(), None).success();
    site.fetch(OLD, &[]).success();

    handover.push(NEW, team.archive(), None).success();
    site.fetch(NEW, &[]).exit(5);
    let statement = handover.statement(0, 1, &[]);
    handover
        .push(NEW, team.archive(), Some(&statement))
        .success();
    let check = ["trust", "check", NEW, "-o", "json"];
    let checked = par(&site.environment, check).success().json();
    assert_eq!(checked["rotation"]["from"], jane.issuer().as_str());
    assert_eq!(checked["rotation"]["retire"], false);
    for command in ["pull", "verify"] {
        par(&site.environment, [command, NEW]).success();
    }
    site.fetch(NEW, &[]).success();
    site.fetch(OLD, &[]).success();
    let list = ["trust", "list", "-o", "json"];
    let pin = || par(&site.environment, list).success().json()["identities"][0].clone();
    assert_eq!(pin()["issuer"], team.issuer().as_str());
    assert_eq!(pin()["former"][jane.issuer()]["retired"], false);

    // From now on no statement is needed, and other accounts are refused as before.
    handover.push(NEW, team.revision(Some(8)), None).success();
    site.fetch(NEW, &[]).success();
    let stranger = Publisher {
        service: jane.service.clone(),
        ..Publisher::new()
    };
    handover
        .push(NEW, stranger.revision(Some(9)), None)
        .success();
    site.fetch(NEW, &[]).exit(5);

    // A second rotation follows the first.
    handover.push(NEW, team.revision(Some(8)), None).success();
    let statement = handover.statement(1, 2, &[]);
    let archive = handover.accounts[2].revision(Some(9));
    handover.push(NEW, archive, Some(&statement)).success();
    site.fetch(NEW, &[]).success();
    site.fetch(OLD, &[]).success();
    assert_eq!(pin()["issuer"], handover.issuer(2));
}

#[test]
fn archives_of_a_retired_account_are_accepted_only_if_they_were_used_before() {
    let handover = Handover::new();
    let (site, [jane, team, _]) = (&handover.site, &handover.accounts);
    handover.push(OLD, jane.archive(), None).success();
    site.fetch(OLD, &[]).success();
    let statement = handover.statement(0, 1, &["--retire"]);
    handover
        .push(NEW, team.archive(), Some(&statement))
        .success();
    site.fetch(NEW, &[]).success();

    site.fetch(OLD, &[]).success();
    let later = "registry.test/org/provider:1.0.1";
    handover.push(later, jane.revision(Some(8)), None).success();
    let refused = site.fetch(later, &[]).exit(5);
    let said = format!(
        "which has handed registry.test/org/provider over to {}",
        team.issuer()
    );
    assert!(refused.stderr.contains(&said), "{refused}");
    // An older statement, which did not retire the account, does not bring it back.
    let back = handover.statement(0, 1, &[]);
    handover
        .push(NEW, team.revision(Some(8)), Some(&back))
        .success();
    site.fetch(NEW, &[]).success();
    site.fetch(later, &[]).exit(5);
    // An archive that was used before can be locked.
    let list = site.environment.write("list.txt", OLD);
    par(&site.environment, ["lock", text(&list)]).success();
}

#[test]
fn nobody_else_can_hand_a_repository_over() {
    let handover = Handover::new();
    let (site, [jane, team, _]) = (&handover.site, &handover.accounts);
    handover.push(OLD, jane.archive(), None).success();
    site.fetch(OLD, &[]).success();
    // The statement is by an account that the repository is not pinned to.
    let statement = handover.statement(2, 1, &[]);
    handover
        .push(NEW, team.archive(), Some(&statement))
        .success();
    site.fetch(NEW, &[]).exit(5);
    // The statement is by the pinned account, whose key is revoked.
    let statement = handover.statement(0, 1, &[]);
    handover
        .push(NEW, team.archive(), Some(&statement))
        .success();
    let revoked = format!("revoked = [\"{}\"]", jane.issuer());
    let policy = site.configure("trust.toml", &revoked);
    site.fetch(NEW, &[]).exit(5);
    fs::remove_file(policy).unwrap();
    site.fetch(NEW, &[]).success();

    // A host that has pinned the new account first does not accept the old one by its statement.
    let fresh = ["--state-dir", "fresh"];
    site.fetch(NEW, &fresh).success();
    site.fetch(OLD, &fresh).exit(5);
}

#[test]
fn a_statement_that_does_not_fit_the_archive_is_not_pushed() {
    let handover = Handover::new();
    let [jane, team, other] = &handover.accounts;
    let statement = handover.statement(0, 1, &[]);
    let another = Publisher {
        account: team.account.clone(),
        ..Publisher::new()
    };
    for archive in [other.archive(), another.archive(), jane.archive()] {
        let refused = handover.push(NEW, archive, Some(&statement)).exit(2);
        assert!(refused.stderr.contains("hands V"), "{refused}");
        assert!(refused.stderr.contains("par keys rotate"), "{refused}");
    }
    let file = handover.site.environment.path(&statement);
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, whole.replace('.', "x")).unwrap();
    let refused = handover.push(NEW, team.archive(), Some(&statement)).exit(5);
    assert!(
        refused.stderr.contains("rotation statement is not valid"),
        "{refused}"
    );
    let requests = handover.site.registry.requests();
    let tagged = |request: &String| request.starts_with("PUT /v2/org/provider/manifests/");
    assert!(!requests.iter().any(tagged), "{requests:?}");
    let reserved = ["-a", "com.wasmcloud.par.rotation=x"];
    let archive = handover
        .site
        .environment
        .write("t.par", team.archive().build());
    let push = [&["push", NEW, text(&archive)], &reserved[..]].concat();
    handover.site.environment.par(push).exit(2);
}

#[test]
fn copies_keep_the_statement() {
    let handover = Handover::new();
    let (site, [jane, team, _]) = (&handover.site, &handover.accounts);
    handover.push(OLD, jane.archive(), None).success();
    site.fetch(OLD, &[]).success();
    let elsewhere = "registry.test/other/provider:2.0.0";
    let statement = handover.statement(0, 1, &[]);
    handover
        .push(elsewhere, team.archive(), Some(&statement))
        .success();
    par(&site.environment, ["copy", elsewhere, NEW]).success();
    site.fetch(NEW, &[]).success();
}

#[test]
fn a_rule_with_two_issuers_satisfies_the_pin_for_both() {
    let handover = Handover::new();
    let (site, [jane, team, other]) = (&handover.site, &handover.accounts);
    let issuers = format!("issuers = [\"{}\", \"{}\"]", jane.issuer(), team.issuer());
    let rule = format!("[[rule]]\nmatch = \"registry.test/org/*\"\n{issuers}");
    site.configure("trust.toml", &rule);
    handover.push(OLD, jane.archive(), None).success();
    handover.push(NEW, team.archive(), None).success();
    let pin = || fs::read_to_string(site.pin("org/provider")).unwrap();
    site.fetch(OLD, &[]).success();
    site.fetch(NEW, &[]).success();
    let once = pin();
    for reference in [OLD, NEW, OLD, NEW] {
        site.fetch(reference, &[]).success();
    }
    assert_eq!(pin(), once);
    handover.push(NEW, other.archive(), None).success();
    site.fetch(NEW, &[]).exit(5);
    // Another provider of these issuers is refused by the pin all the same.
    let another = Publisher {
        account: team.account.clone(),
        ..Publisher::new()
    };
    handover.push(NEW, another.archive(), None).success();
    site.fetch(NEW, &[]).exit(5);
}

#[test]
fn a_statement_is_made_of_keys_in_every_form_and_no_seed_is_printed() {
    let handover = Handover::new();
    let environment = &handover.site.environment;
    let [jane, team, _] = &handover.accounts;
    let (seed, service) = (jane.account.seed().unwrap(), jane.service.seed().unwrap());
    environment.write("keys/provider_service.nk", &service);
    let mut command = environment.command();
    let keys = [
        "keys",
        "rotate",
        "-o",
        "json",
        "--directory",
        "keys",
        "--from",
        "-",
    ];
    command.args(keys);
    // The name that was given to `par keys gen` is enough.
    command.args(["--to", "account1", "-s", "provider_service"]);
    let made = Outcome::of(command, seed.as_bytes()).success();
    let json = made.json();
    assert_eq!(json["from"], jane.issuer().as_str());
    assert_eq!(json["to"], team.issuer().as_str());
    assert_eq!(json["providers"][0], jane.subject().as_str());
    assert!(!format!("{made}").contains(&service), "{made}");
    let to = team.issuer();
    let without = ["keys", "rotate", "--from", "missing.nk", "--to", &to];
    let provider = jane.subject();
    let refused = environment.par([&without[..], &["-s", &provider]].concat());
    refused.exit(3);
    environment.par(without).exit(2);
}

#[test]
fn a_statement_with_wrong_keys_is_wrong_usage() {
    let handover = Handover::new();
    let environment = &handover.site.environment;
    let [jane, team, _] = &handover.accounts;
    let (account, service) = (team.issuer(), jane.subject());
    let (account, service) = (account.as_str(), service.as_str());
    let rotate = |from: &str, to: &str, provider: &str| {
        let keys = ["keys", "rotate", "--directory", "keys", "--from", from];
        environment.par([&keys[..], &["--to", to, "-s", provider]].concat())
    };
    for (to, provider, expected) in [
        (
            "account0",
            service,
            "the former and the new account are the same",
        ),
        (
            service,
            service,
            "it is the public key of a service (V…), and not that of an account (A…)",
        ),
        (
            account,
            account,
            "it is the public key of an account (A…), and not that of a service (V…)",
        ),
    ] {
        let refused = rotate("account0_account", to, provider).exit(2);
        assert!(refused.stderr.contains(expected), "{refused}");
        assert!(refused.stderr.contains("\nhint: "), "{refused}");
    }
    let missing = rotate("nobody", account, service).exit(3);
    let expected = "there is no key `nobody` in keys, ";
    assert!(missing.stderr.contains(expected), "{missing}");
}

#[test]
fn a_statement_lets_a_tag_change_its_issuer() {
    let handover = Handover::new();
    let (site, [jane, team, third]) = (&handover.site, &handover.accounts);
    handover.push(OLD, jane.archive(), None).success();
    let file = site.environment.write("team.par", team.archive().build());
    let without = site.environment.par(["push", OLD, text(&file)]).exit(7);
    assert!(without.stderr.contains(&jane.issuer()), "{without}");
    // The tag names an archive of another account than the one that hands over.
    let other = handover.statement(1, 2, &[]);
    handover.push(OLD, third.archive(), Some(&other)).exit(7);

    let statement = handover.statement(0, 1, &[]);
    handover
        .push(NEW, team.archive(), Some(&statement))
        .success();
    par(&site.environment, ["tag", NEW, "1.0.0"]).success();
    // A copied manifest still has the statement.
    let copied = "oci-layout://layout:1.0.0";
    handover.push(copied, jane.archive(), None).success();
    par(&site.environment, ["copy", NEW, copied]).success();
}

/// Writes an archive of `publisher` with an index, which is too large to be downloaded at once.
fn large_archive(publisher: &Publisher, path: &Path, seed: u64) {
    let mut writer = ArchiveWriter::new(Metadata {
        vendor: VENDOR.to_owned(),
        ..Metadata::default()
    });
    let content = Input::Bytes(noise(300 << 10, seed).into());
    writer.executable("x86_64-linux".parse().unwrap(), content);
    let account = Key::from_seed(&publisher.account.seed().unwrap()).unwrap();
    let signer = Signer::new(account, publisher.subject().parse().unwrap()).unwrap();
    let written = writer.write(path, &signer, Compression::Gzip, &Silent);
    written.unwrap();
}

#[test]
fn the_start_of_another_archive_of_a_retired_account_does_not_count_under_a_manifest_that_was_used()
{
    let handover = Handover::new();
    let (site, [jane, team, _]) = (&handover.site, &handover.accounts);
    let [first, second] = ["first.par.gz", "second.par.gz"].map(|name| site.environment.path(name));
    large_archive(jane, &first, 1);
    large_archive(jane, &second, 2);
    // Otherwise the size would show that the registry serves another archive.
    let size = |path: &Path| fs::metadata(path).unwrap().len();
    assert_eq!(size(&first), size(&second));
    // The manifest carries no claims, as after a push by `wash`.
    let local = site.registry.reference("org/provider:1.0.0");
    peer::push(&local, &fs::read(&first).unwrap());
    site.fetch(OLD, &[]).success();
    let statement = handover.statement(0, 1, &["--retire"]);
    let pushed = handover.push(NEW, team.archive(), Some(&statement));
    pushed.success();
    site.fetch(NEW, &[]).success();

    let empty_cache = || fs::remove_dir_all(site.environment.home().join(".cache")).unwrap();
    empty_cache();
    site.fetch(OLD, &[]).success();
    empty_cache();
    fs::copy(&second, site.registry.blob(&digest(&first))).unwrap();
    let refused = site.fetch(OLD, &[]).exit(5);
    assert_eq!(refused.stdout, "");
}
