// The story of ../story.ts, told by a client of oapi-codegen.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"

	"eventledger.example/clients/generated/ledger"
)

var ctx = context.Background()

func must[T any](value *T, err error) *T {
	if err != nil {
		log.Fatal(err)
	}
	if value == nil {
		log.Fatal("no answer of the kind that was expected")
	}
	return value
}

func pointer[T any](value T) *T { return &value }

type store = map[string]any

func main() {
	stream := os.Args[1]
	withKey := ledger.WithRequestEditorFn(func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Bearer "+os.Getenv("EVENTLEDGER_API_KEY"))
		return nil
	})
	api := must(ledger.NewClientWithResponses(os.Getenv("EVENTLEDGER_URL"), withKey))

	made := must(api.CreateStreamWithResponse(ctx, ledger.CreateStream{Name: stream}))

	publish := func(body ledger.PublishBody, key *string) *ledger.PublishReceipt {
		params := &ledger.PublishEventsParams{IdempotencyKey: key}
		answer := must(api.PublishEventsWithResponse(ctx, stream, params, body))
		if answer.JSON201 != nil {
			return answer.JSON201
		}
		return must(answer.JSON200, nil)
	}
	one := func(event ledger.NewEvent) *ledger.PublishReceipt {
		var body ledger.PublishBody
		if err := body.FromNewEvent(event); err != nil {
			log.Fatal(err)
		}
		return publish(body, nil)
	}
	var two ledger.PublishBody
	if err := two.FromNewEvents(ledger.NewEvents{Events: []ledger.NewEvent{
		{Key: "order-1", Type: pointer("order.placed"), Data: store{"total": 42}},
		{Key: "order-2", Data: store{"total": 7}},
	}}); err != nil {
		log.Fatal(err)
	}
	first := publish(two, pointer("story-1"))
	again := publish(two, pointer("story-1"))
	third := one(ledger.NewEvent{Key: "order-1", Data: store{"total": 43}})
	tombstone := one(ledger.NewEvent{Key: "order-2", Data: nil})

	must(api.CreateSubscriptionWithResponse(ctx, stream, ledger.CreateSubscription{Name: "reader"}))
	poll := func(subscription string, params ledger.PollParams) *ledger.PollPage {
		return must(must(api.PollWithResponse(ctx, stream, subscription, &params)).JSON200, nil)
	}
	commitAndPoll := func(subscription string, body ledger.PollBody) *ledger.CommittedPollPage {
		answer := must(api.CommitAndPollWithResponse(ctx, stream, subscription, body))
		return must(answer.JSON200, nil)
	}
	page := poll("reader", ledger.PollParams{Limit: pointer[int32](3)})
	committed := must(api.CommitWithResponse(ctx, stream, "reader", ledger.CommitBody{Cursor: &page.Cursor}))
	rest := commitAndPoll("reader", ledger.PollBody{})
	committing := func(cursor ledger.Cursor) ledger.PollBody {
		var commit ledger.PollBody_Commit
		if err := commit.FromCursor(cursor); err != nil {
			log.Fatal(err)
		}
		return ledger.PollBody{Commit: &commit}
	}
	commitAndPoll("reader", committing(rest.Cursor))

	must(api.CompactStreamWithResponse(ctx, stream))
	var start ledger.Place
	if err := json.Unmarshal([]byte(`"bootstrap"`), &start); err != nil {
		log.Fatal(err)
	}
	must(api.CreateSubscriptionWithResponse(ctx, stream, ledger.CreateSubscription{Name: "late", Start: &start}))
	state := store{}
	late := commitAndPoll("late", ledger.PollBody{})
	for range 20 {
		for _, event := range late.Events {
			if data, ok := event.Data.(store); ok {
				state[event.Key] = data["total"]
			} else {
				delete(state, event.Key)
			}
		}
		if late.CaughtUp {
			break
		}
		late = commitAndPoll("late", committing(late.Cursor))
	}

	var target ledger.Place
	if err := json.Unmarshal([]byte(`{"cursor":"`+first.Cursor+`"}`), &target); err != nil {
		log.Fatal(err)
	}
	must(api.SeekWithResponse(ctx, stream, "reader", ledger.SeekBody{To: target}))
	sought := poll("reader", ledger.PollParams{})
	missing := must(must(api.GetStreamWithResponse(ctx, "no-such")).ApplicationproblemJSON404, nil)

	receipts := [][]int64{}
	for _, receipt := range []*ledger.PublishReceipt{first, again, third, tombstone} {
		receipts = append(receipts, sequencesOf(receipt.Events, func(of ledger.PublishedEvent) int64 { return of.Sequence }))
	}
	ofEvent := func(of ledger.LedgerEvent) int64 { return of.Sequence }
	told, err := json.Marshal(store{
		"partitions": made.JSON201.Partitions,
		"published":  receipts,
		"polled":     [][]int64{sequencesOf(page.Events, ofEvent), sequencesOf(rest.Events, ofEvent)},
		"stale":      committed.JSON200.Stale,
		"caughtUp":   rest.CaughtUp,
		"state":      state,
		"consistent": late.Consistent,
		"sought":     sequencesOf(sought.Events, ofEvent),
		"problem":    []any{missing.Code, missing.Retry, missing.Status},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(told))
}

func sequencesOf[T any](events []T, of func(T) int64) []int64 {
	sequences := []int64{}
	for _, event := range events {
		sequences = append(sequences, of(event))
	}
	return sequences
}
