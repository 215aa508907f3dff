# Every command a person runs. The README's two work without `just` as well.

# Lists the recipes.
default:
    @just --list

# Plays a whole campaign on sample data; OPTIONS such as --serve.
demo *options:
    cargo run --release -- demo {{ options }}

# Installs what the tests need and runs every check there is.
test:
    ./test.sh

# Format and lints of the code, and every fault of the sample campaigns.
check: campaigns
    cargo fmt --all --check
    cargo clippy --locked --workspace --all-targets -- -D warnings

# Every fault of the sample campaigns.
campaigns:
    cargo run --quiet -- check pipelines/example-small pipelines/hanoi-2023

# How long a whole campaign takes, without building.
bench:
    cargo build --release
    bash -c "time target/release/parsurvey demo --out target/bench > target/bench.txt"

# How many bounces a second are read, beside a peer in Python on the same mails.
bench-bounces:
    cargo run --release -p parsurvey-dispatch --example bounce_speed
    python3 crates/dispatch/examples/bounce_peer.py

# Real servers on loopback: greylisting, unknown users, full mailboxes; shows the reports they write.
servers:
    cargo test --locked --workspace --test servers -- --nocapture

# How fast mails leave, beside other senders, such as `just bench-send mails=20000 connections=32 rounds=5`.
bench-send *options:
    tests/bench/tools.sh
    cargo build --locked --workspace --all-targets
    cargo build --locked --release
    PARSURVEY_TEST_BINARY="$PWD/target/release/parsurvey" target/debug/examples/bench_send {{ options }}

# What it costs to hand out, mark and record mails, from a thousand queued to a million.
bench-ledger:
    cargo run --locked --release -p parsurvey-ledger --example lease_cost

# Kills senders at random moments and holds them to a relay's journal, such as `just sim seed=7 mails=20000 kills=5000`.
sim *options:
    cargo build --locked --workspace --all-targets
    cargo build --locked --release
    PARSURVEY_SIM="{{ options }}" PARSURVEY_TEST_BINARY="$PWD/target/release/parsurvey" cargo test --locked --workspace --test sim long -- --ignored --nocapture

# How much the form's server bears, such as `just bench-serve forms=50000 connections=64 rounds=3 seconds=5 open=10000`.
bench-serve *options:
    cargo build --locked --workspace --all-targets
    cargo build --locked --release
    ulimit -n "$(ulimit -Hn)" && PARSURVEY_TEST_BINARY="$PWD/target/release/parsurvey" target/debug/examples/bench_serve {{ options }}

# Kills the form's server under load and holds it to what people were told, such as `just kills seed=7 kills=200`.
kills *options:
    cargo build --locked --workspace --all-targets
    cargo build --locked --release
    PARSURVEY_KILLS="{{ options }}" PARSURVEY_TEST_BINARY="$PWD/target/release/parsurvey" cargo test --locked --workspace --test load many_kills -- --ignored --nocapture

# Pictures of every page, mail and report: both languages, 360, 768 and 1440 px, light, and dark at 360.
screenshots folder="target/screenshots":
    PARSURVEY_SCREENSHOTS="$PWD/{{ folder }}" cargo test --locked --workspace --test browser screenshots

# Holds every page of the form against axe-core and prints the table; then what the pages weigh.
accessible:
    tests/browser/tools.sh
    cargo test --locked --workspace --test browser accessible -- --nocapture
    cargo test --locked --workspace --test browser weight -- --nocapture

# How long each page of the console takes at 51,597 forms and 154,791 mails.
large:
    cargo test --locked --release --workspace --lib large -- --ignored --nocapture

# Renews the synthetic roster of the Hanoi sample.
roster:
    cargo run --quiet -p parsurvey-rehearsal --example roster > target/roster.csv
    cp target/roster.csv sample-data/hanoi-2023/roster.csv
