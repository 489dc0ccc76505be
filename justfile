# List the recipes.
default:
    @{{ just_executable() }} --list --unsorted

# All tests, with layers, budgets and style among them.
test *args='./...':
    go test {{ args }}

# The determinism analyzer, golangci-lint and go vet.
lint:
    .ci/run lint vet

# Run seeds in the simulator: just sim --seeds 1000
sim *args:
    go run ./cmd/klamm sim {{ args }}

# Fuzz every target for some seconds each: just fuzz 60 ./core/record
fuzz seconds='30' *packages:
    .ci/fuzz {{ seconds }} {{ packages }}

# Benchmarks, with allocations: just bench Produce ./core/...
bench pattern='.' *packages='./...':
    go test -run '^$' -bench '{{ pattern }}' -benchmem {{ packages }}

# Build the pure part for the browser: the cheapest proof that it is pure.
wasm:
    .ci/run wasm

# Compare trace digests over builds and hosts.
determinism:
    .ci/run determinism

# Everything CI does, in its order.
ci *stages:
    .ci/run {{ stages }}

# Foreign clients and Kafka's own tools against a real node.
interop:
    .ci/run interop
