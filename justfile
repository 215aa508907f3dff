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

# Sends to relays that fail on purpose.
sim:
    cargo test --locked --workspace --test rehearsal

# Renews the synthetic roster of the Hanoi sample.
roster:
    cargo run --quiet -p parsurvey-rehearsal --example roster > target/roster.csv
    cp target/roster.csv sample-data/hanoi-2023/roster.csv
