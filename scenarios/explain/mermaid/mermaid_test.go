package mermaid_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/scenarios/explain"
	"github.com/klamm-log/klamm/scenarios/explain/explaintest"
	"github.com/klamm-log/klamm/scenarios/explain/mermaid"
)

func TestADiagramHasWhatMatters(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, mermaid.Write(&b, explaintest.JoinsTooEarly(), explain.Filter{}))
	lines := strings.Split(b.String(), "\n")
	require.Equal(t, "sequenceDiagram", lines[0])
	text := b.String()
	require.Contains(t, text, "participant broker1\n")
	require.Contains(t, text, "Note over broker1: 32.000 ms HighWatermark of orders-0: 4 to 5\n")
	require.NotContains(t, text, "participant client3", "it takes no part in what matters")
	for _, line := range lines[2:] {
		require.NotContains(t, line, ";")
		require.NotContains(t, line, "#")
	}
}

func TestTooManyMessagesAreRefused(t *testing.T) {
	var b bytes.Buffer
	err := mermaid.Write(&b, explaintest.JoinsTooEarly(), explain.Filter{All: true})
	var many mermaid.TooManyError
	require.True(t, errors.As(err, &many))
	require.Equal(t, 401, many.Messages)
	require.ErrorContains(t, err, "shrink the capsule")
	require.Zero(t, b.Len())
}

func TestMessagesAreArrows(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, mermaid.Write(&b, explaintest.JoinsTooEarly(), explain.Filter{All: true, Most: 100}))
	require.Contains(t, b.String(), "  broker2->>broker1: Fetch replica 2: orders-0 from 4\n")
	require.Contains(t, b.String(), "  broker1-->>broker2: Fetch answer orders-0: no records, HighWatermark 4\n")
}
