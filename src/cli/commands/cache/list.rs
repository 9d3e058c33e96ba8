//! `par cache list`

use anyhow::Result;
use serde_json::{Value, json};

use crate::cache::{Listed, Startable, Usage};
use crate::cli::output::{Answer, path_text};
use crate::cli::session::Session;
use crate::client::describe_cache;
use crate::content::time_text;

use super::text::{date, size};

pub(super) fn run(session: &Session) -> Result<Answer> {
    let listing = session.in_existing_cache(|cache| {
        describe_cache(&cache)?;
        cache.list()
    })?;
    let rows: Vec<_> = listing.startable.iter().map(columns).collect();
    let total = listing.size();
    let listed: u64 = listing.startable.iter().map(|row| row.size).sum();
    let content = listing.blobs.bytes + listing.executables.bytes;
    let other = content.saturating_sub(listed);
    session.note(&format!(
        "total: {} on this disk: {} of listed providers, {} of other content, {} of unfinished downloads, {} of records",
        size(total),
        size(listed),
        size(other),
        size(listing.unfinished.bytes),
        size(listing.records.bytes),
    ));
    let count = |usage: Usage| json!({ "files": usage.files, "bytes": usage.bytes });
    let providers = listing.startable.iter().map(described);
    Ok(Answer::lines(aligned(&rows))
        .field("providers", providers.collect::<Value>())
        .field(
            "references",
            listing.references.iter().map(tag).collect::<Value>(),
        )
        .field("blobs", count(listing.blobs))
        .field("executables", count(listing.executables))
        .field("unfinished", count(listing.unfinished))
        .field("records", count(listing.records))
        .field("listed", listed)
        .field("other", other)
        .field("total", total))
}

fn columns(row: &Startable) -> Vec<String> {
    let targets: Vec<&str> = row.targets.keys().map(String::as_str).collect();
    let name = row.name.iter().chain(&row.version);
    let name: Vec<&str> = name.map(String::as_str).collect();
    vec![
        row.reference.clone(),
        row.digest.to_string(),
        size(row.size),
        if row.offline { "offline" } else { "online" }.to_owned(),
        targets.join(","),
        row.subject.clone(),
        row.issuer.clone(),
        row.confirmed.map_or("-".to_owned(), date),
        row.used.map_or("-".to_owned(), date),
        name.join(" "),
    ]
}

/// Returns lines with columns of equal width.
pub(super) fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let line = |row: &Vec<String>| {
        let cells = row.iter().enumerate();
        let cells: Vec<String> = cells
            .map(|(column, cell)| format!("{cell:width$}", width = width(column)))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn described(row: &Startable) -> Value {
    let targets = row
        .targets
        .iter()
        .map(|(target, path)| json!({ "target": target, "file": path.as_deref().map(path_text) }));
    json!({
        "reference": row.reference,
        "digest": row.digest.to_string(),
        "targets": targets.collect::<Value>(),
        "service": row.subject,
        "issuer": row.issuer,
        "name": row.name,
        "version": row.version,
        "offline": row.offline,
        "size": row.size,
        "confirmed": row.confirmed.map(time_text),
        "used": row.used.map(time_text),
    })
}

fn tag(listed: &Listed) -> Value {
    json!({
        "reference": listed.reference,
        "digest": listed.digest.to_string(),
        "size": listed.size,
        "confirmed": time_text(listed.confirmed),
        "used": listed.used.map(time_text),
    })
}
