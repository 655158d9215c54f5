"""Typical cause and next move of every kind of error: what the class's docstring does not say."""

CAUSES: dict[str, tuple[str, str]] = {
    "SpecError": (
        (
            "a key, a type or a value in the YAML that is not allowed, or options that contradict"
            " each other."
        ),
        (
            "mend the line that the message names; `datamig check` reads files only and answers "
            "at once."
        ),
    ),
    "UnknownEngineError": (
        "a typing error before `://`, or a database that this version does not speak.",
        "write one of the engines that the hint lists.",
    ),
    "MissingSecretError": (
        "the variable is set in another shell, in another service, or under another name.",
        (
            "export it where the run starts (for a schedule: in Dagster's own environment), then "
            "run again."
        ),
    ),
    "TransformNotFoundError": (
        (
            "the module is not on Python's path, the function was renamed, or it takes other "
            "arguments."
        ),
        "try `python -c 'import the.module'` from the folder of the file, then `datamig plan`.",
    ),
    "FilesUrlError": (
        "two slashes where three or four are meant, or an option that this format does not have.",
        "write the URL as docs/files.md shows it; the hint lists the options.",
    ),
    "UnknownPredecessorError": (
        "a typing error in after:, a folder that was renamed, or a file that cannot be read.",
        "write the name: of another migration beside this one, or leave after: out.",
    ),
    "LineCycleError": (
        "after: was set in a file that others come after.",
        "take after: out of the one that is the first.",
    ),
    "TwoHeadsError": (
        "two people added a migration at the same time, both after the same one.",
        "let one of the two come after the other.",
    ),
    "LineTargetsError": (
        "a file was copied, and one of both targets was changed.",
        "give all migrations of a line the same target, or take after: out.",
    ),
    "UnknownVersionError": (
        "a typing error, or a migration of another line.",
        "take one of the versions that the hint lists; `datamig status` draws the line.",
    ),
    "ScratchUnfitError": (
        "backup.scratch_env names a variable that is not set, or a database of another engine.",
        "set it to the URL of a database of the engine that is backed up.",
    ),
    "SuitesMissingError": (
        "a typing error in a pattern of validate, or a folder that was not checked in.",
        "write the pattern relative to the YAML file; `datamig profile` makes first suites.",
    ),
    "PlanError": (
        "what the file asks for does not fit what is in the two databases.",
        "change the file, then `datamig plan`; nothing has to be cleaned up.",
    ),
    "TableMissingError": (
        "the table was renamed, lies in another schema, or the user may not see it.",
        (
            "compare with the tables that the hint lists; write schema.table where it is not the "
            "default."
        ),
    ),
    "ColumnMissingError": (
        "the column was renamed or dropped, or its name has other upper and lower case.",
        "write the name as the source's catalog has it.",
    ),
    "KeyUnsupportedError": (
        (
            "key: names a column that may be NULL, that is not unique, or whose order engines "
            "disagree on."
        ),
        "name other columns, or leave key: out; the table is then read in one stream.",
    ),
    "NameCollisionError": (
        "names that differ only in upper and lower case, or a rename onto a name that is taken.",
        "give one of the two another name with rename:.",
    ),
    "TypeUnsupportedError": (
        (
            "an engine's own type (geometry, range, array), or a declaration that the target does"
            " not know."
        ),
        "add a rule to casts:, or leave the column behind with drop: true.",
    ),
    "TargetNotEmptyError": (
        "an earlier attempt by other means, or the wrong target.",
        (
            "name another schema or an empty database; tables that it did not make are never "
            "overwritten."
        ),
    ),
    "NotYetError": (
        "the file uses something that is planned but not built.",
        "leave it out, or do that part by hand; the message says which part.",
    ),
    "PlanOutdatedError": (
        "the file, a transform or the source's schema was changed after the plan was saved.",
        "look at the changes that the message names; `datamig plan --save` keeps the new plan.",
    ),
    "BaselineError": (
        "the database is older or newer than the file, or it is the wrong target.",
        "make the tables that the message names, exclude them in the file, or run the migration.",
    ),
    "ScriptError": (
        "a step asks the target while it works, which statements in a file cannot.",
        "run the migration itself with `datamig run`; `datamig plan --sql` shows what it sends.",
    ),
    "StepError": (
        "a step met something that nobody foresaw; what was committed is kept.",
        "read the message, mend the cause and run again: it goes on where it stopped.",
    ),
    "BackupError": (
        "the dump tool is older than the server, or the target was written to during the backup.",
        "stop the target's writers, look at the versions in `datamig doctor`, run again.",
    ),
    "BackupStoreError": (
        "the bucket does not exist, or the credentials of the environment may not write to it.",
        "mend backup.to, or set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION; run again.",
    ),
    "BackupDamagedError": (
        "somebody edited or copied the files, or the disk below them is failing.",
        "take another copy of the same backup; `datamig backups` lists what there is.",
    ),
    "BackupMissingError": (
        "the target was empty before the run, or the backup was deleted or never finished.",
        "take the migration back without --restore; `datamig backups` lists what there is.",
    ),
    "RestoreError": (
        "another session holds locks on the target's tables, or somebody wrote to it meanwhile.",
        "end the other sessions, then `datamig rollback NAME --restore` again: it goes on.",
    ),
    "LossesError": (
        "somebody wrote to the target since the run, or made tables there.",
        "save what the message names, then say yes: accept_losses: true, or --yes.",
    ),
    "TransformError": (
        "the user's function met a value that it was not written for, or dropped a column.",
        "try the function on the batch that the place names; a later run goes on from that batch.",
    ),
    "RejectsError": (
        "rows that violate a constraint or do not fit a type of the target.",
        (
            "read reasons in `datamig status` or the report; mend them in the source or allow the"
            " table with rejects: {allow: [...]}."
        ),
    ),
    "StalledError": (
        "the server or the network hangs, or somebody holds a lock.",
        "look for locks and load on both servers, then run again: it goes on where it stopped.",
    ),
    "RehearsalError": (
        "the source, the target or the scratch database could not be read or made.",
        "the message names the step; the target is as it was, so mend it and rehearse again.",
    ),
    "IrreversibleError": (
        "a step whose undo leaves something behind or takes too much away, or a drop was refused.",
        (
            "look at the step that the message names in the file of the rehearsal; with --keep the "
            "scratch database stays to be looked at. Do not run before it is understood."
        ),
    ),
    "AlreadyRunError": (
        "the migration was run, or begun, and the target is not as it was before any more.",
        "rehearse before the run; after it, `datamig rollback` takes it back and proves that.",
    ),
    "SampleError": (
        "a typing error in --sample.",
        "write a share of each table (5%) or a number of rows per table (1000).",
    ),
    "ScratchDeniedError": (
        "the user of the target may not make databases; often so in production, and rightly.",
        (
            "set backup.scratch_env to the URL of a database of another server of the same engine, "
            "with a user who may; or let this user make databases."
        ),
    ),
    "NotRehearsedError": (
        "nobody rehearsed yet, the rehearsal was red or too old, or the plan changed after it.",
        "`datamig rehearse`, in Dagster the job <name>_rehearse; then run.",
    ),
    "StreamChangedError": (
        "a table without a key whose rows were changed, or moved by the engine, since they came.",
        "run again: the table starts over by itself. A key (`key:`) would make it go on.",
    ),
    "EngineError": (
        "the database refused something; its words stand in the message.",
        "follow the hint, then run again: it goes on where it stopped.",
    ),
    "DriverMissingError": (
        "a Python driver or an engine's dump tool is not installed on this machine.",
        "install the package that the hint names; `datamig doctor` shows what is there.",
    ),
    "ConnectError": (
        "wrong host or port, a server that is down, a firewall, or a folder that does not exist.",
        "`datamig doctor MIGRATION` tries both ends and times them.",
    ),
    "LoginError": (
        "a wrong or expired password, or a user who may not log in from this host.",
        (
            "try the same URL with the engine's own client; special characters must be %-encoded "
            "in a URL."
        ),
    ),
    "ConnectionLostError": (
        "a restart of the server, a broken network, or a limit on idle or long connections.",
        "run again: it goes on from the last committed batch.",
    ),
    "LockTimeoutError": (
        "another session holds a lock on a table that the migration needs.",
        "find that session, let it finish or end it, then run again.",
    ),
    "DiskFullError": (
        "the target's disk, its temporary space, or the backup's folder is full.",
        (
            "make room or name another folder in backup.to, then run again: nothing that was "
            "committed is lost."
        ),
    ),
    "PermissionDeniedError": (
        "the database user lacks a right, or the folder belongs to somebody else.",
        (
            "grant what the message names; `datamig doctor MIGRATION` shows which folders can be "
            "written."
        ),
    ),
    "RefusedError": (
        "a row breaks a constraint, is too long, or has bytes that are no text in the target.",
        "such rows are set aside with their reason; see `datamig status`.",
    ),
    "StatementError": (
        "the engine refused a statement for a reason that has no class of its own.",
        "`datamig plan --sql` prints every statement; try the one that the message names.",
    ),
    "BrokenFileError": (
        (
            "a line with a field too many or too few, a quote that is not closed, latin-1 read as "
            "UTF-8, or a file that is still being written."
        ),
        "look at the file and line that the message names; nothing was skipped or guessed.",
    ),
    "FileChangedError": (
        "an export writes into the folder while it is read.",
        "wait until it is through, or copy the files; then `datamig rollback` and run again.",
    ),
    "ProofFailedError": (
        (
            "somebody wrote to the source or the target after the load, or a value changed on its"
            " way."
        ),
        (
            "`datamig status` names tables and columns; `datamig validate` proves again; `datamig"
            " rollback` takes it back."
        ),
    ),
    "ProofGateError": (
        "rows of the target were changed after they were loaded, or a value changed on its way.",
        "`datamig diff` names rows, columns and causes; mend them, `datamig validate`, run again.",
    ),
    "SuiteFailedError": (
        "rows of the source that break what a suite of `validate.before` expects of them.",
        "mend the rows or the suite and run again; the Data Docs below .datamig show what failed.",
    ),
    "LedgerError": (
        (
            "somebody changed the target or the ledger by hand, or the order of commands does not"
            " fit."
        ),
        "look at the objects that the message names and decide; nothing is repaired by guessing.",
    ),
    "RunningElsewhereError": (
        "a schedule, a colleague or a process that was not ended.",
        "wait for it, or stop it in Dagster's UI; the lock ends with its connection.",
    ),
    "PlanChangedError": (
        "the file or the source's schema was edited after the run was begun.",
        "put the file back to go on with the old plan, or `datamig rollback` and run the new one.",
    ),
    "LedgerOutdatedError": (
        "the target was loaded by version 0.1.0, whose ledger knew no shards.",
        (
            "finish or roll back its migrations with that version, drop the ledger's tables, then "
            "run again."
        ),
    ),
    "LedgerDamagedError": (
        "somebody dropped tables of the ledger (schema datamig, or tables datamig_…).",
        (
            "`datamig rollback` as long as the tables run and step are there; else bring them back "
            "from a copy of the target, or drop what the migration made, and the ledger, by hand."
        ),
    ),
    "BatchTakenError": (
        "the answer to a commit was lost and it arrived after all, or two processes load one run.",
        "nothing was written twice; run again, it goes on behind what is there.",
    ),
    "SourceChangedError": (
        "rows were written to the source between two loads, the second of them behind constraints.",
        "`datamig rollback` and run again, or stop the writers of the source meanwhile.",
    ),
    "OutOfOrderError": (
        "migrations of a line (after:) were run or taken back one by one in another order.",
        "run or take back the one that the message names first; `datamig status` draws the line.",
    ),
    "DriftError": (
        "somebody changed tables of the target by hand, or another tool did.",
        (
            "put the objects back, or, if the change is meant, `datamig acknowledge --drift`; "
            "`drift: report` in the file only tells it."
        ),
    ),
    "NotApprovedError": (
        "nobody approved yet, the approval ran out, or the plan changed after it.",
        "let one of those that the message names read `datamig plan` and `datamig approve` it.",
    ),
    "NotApproverError": (
        "approval.by in the file does not name this user.",
        "let somebody approve who is named there, or change the file.",
    ),
    "ApprovalEndedError": (
        "--until lies in the past, perhaps by a time zone: it is read as local time.",
        "give a later end, or leave --until out.",
    ),
}
