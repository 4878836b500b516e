"""What the columns of our own books mean, for the catalogue of a publication.

Belongs here: ledger and quarantine.  Does not belong here: entities (their contracts say it) and marts (dbt does).
"""

TABLES = {
    "quarantine.rows": "One row per record that the gate refused: every reason, the money at risk, who has to act.",
    "ledger.loads": "One row per landed file: what came of it, chained by hashes in landing order.",
    "ledger.loaded_tables": "One row per landed file and raw table that it fed.",
    "ledger.row_accounts": "One row per landed file and raw table: "
    "rows = accepted + superseded + duplicate + quarantined.",
    "ledger.conformed": "One row per mapping or entity: fingerprint of what its rows follow from.",
    "ledger.builds": "One row per build of the marts: its cut, what it follows from, and the audit's verdict.",
}
COLUMNS = {
    "system": "Folder below sources/ that describes the system.",
    "entity": "Canonical entity.",
    "row_key": "Key of the refused record, as far as it has one.",
    "source_table": "Raw table whose record it is.",
    "table_name": "Raw table.",
    "load_seq": "Order of landing of the file, from 1.",
    "row_number": "Number of the record within its file, from 1.",
    "code": "Exception code (table exception_codes).",
    "reasons": "Every reason, one sentence each.",
    "row": "The record as mapped, in JSON.",
    "amount": "Money at risk, in its currency.",
    "currency": "ISO 4217 code.",
    "owner": "Team that has to act.",
    "recorded_at": "When the file that holds the record was landed.",
    "digest": "SHA-256 of the file's bytes.",
    "original_name": "Name the file came with.",
    "path": "Where it lies in the landing zone.",
    "received_at": "When it was landed.",
    "bytes": "Size of the file.",
    "rows": "Rows that the reader saw.",
    "verdict": "What came of it.",
    "reason": "Why the file was refused.",
    "fix": "How to mend it.",
    "spec_version": "Fingerprint of the system's description that read it.",
    "code_version": "Version of the code that did it.",
    "previous_hash": "Hash of the load before: the chain.",
    "hash": "Hash over this load's facts and the hash before.",
    "measure_sum": "Control total: sum of the table's measure as the reader saw it.",
    "notes": "What the reader remarked.",
    "accepted": "Rows in force in canonical.",
    "superseded": "Rows that a newer version of their record replaced.",
    "duplicate": "Rows that repeat an earlier one in key and content.",
    "quarantined": "Rows that the gate refused.",
    "inputs": "Fingerprint of all that the rows follow from.",
    "build": "Number of the build.",
    "as_of": "Business date of the figures.",
    "load_hash": "Head of the load ledger's chain at that time.",
    "publication": "Number of the publication.",
}
