package story;

import com.fasterxml.jackson.databind.ObjectMapper;
import eventledger.ApiClient;
import eventledger.ApiException;
import eventledger.api.CompactedApi;
import eventledger.api.EventsApi;
import eventledger.api.StreamsApi;
import eventledger.api.SubscriptionsApi;
import eventledger.model.CommitBody;
import eventledger.model.CreateStream;
import eventledger.model.CreateSubscription;
import eventledger.model.LedgerEvent;
import eventledger.model.NewEvent;
import eventledger.model.NewEvents;
import eventledger.model.Place;
import eventledger.model.PlaceCursor;
import eventledger.model.PollBody;
import eventledger.model.PollBodyCommit;
import eventledger.model.Problem;
import eventledger.model.PublishBody;
import eventledger.model.PublishReceipt;
import eventledger.model.PublishedEvent;
import eventledger.model.SeekBody;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The story of ../story.ts, told by a client of openapi-generator. */
public final class Story {
  private final ApiClient client = new ApiClient();
  private final EventsApi events;
  private final String stream;

  private Story(String stream) {
    this.stream = stream;
    client.updateBaseUri(System.getenv("EVENTLEDGER_URL"));
    var bearer = "Bearer " + System.getenv("EVENTLEDGER_API_KEY");
    client.setRequestInterceptor(request -> request.header("Authorization", bearer));
    events = new EventsApi(client);
  }

  public static void main(String[] args) throws Exception {
    System.out.println(new ObjectMapper().writeValueAsString(new Story(args[0]).tell()));
  }

  private Map<String, Object> tell() throws ApiException, java.io.IOException {
    var streams = new StreamsApi(client);
    var subscriptions = new SubscriptionsApi(client);
    var made = streams.createStream(new CreateStream().name(stream));

    var two = new PublishBody(new NewEvents().events(List.of(
        new NewEvent().key("order-1").type("order.placed").data(Map.of("total", 42)),
        new NewEvent().key("order-2").data(Map.of("total", 7)))));
    var first = publish(two, "story-1");
    var again = publish(two, "story-1");
    var third = publish(
        new PublishBody(new NewEvent().key("order-1").data(Map.of("total", 43))), null);
    var tombstone = publish(new PublishBody(new NewEvent().key("order-2").data(null)), null);

    subscriptions.createSubscription(stream, new CreateSubscription().name("reader"));
    var page = subscriptions.poll(stream, "reader", 3, null, null, null, null);
    var committed =
        subscriptions.commit(stream, "reader", new CommitBody().cursor(page.getCursor()));
    var rest = subscriptions.commitAndPoll(stream, "reader", new PollBody());
    subscriptions.commitAndPoll(stream, "reader", committing(rest.getCursor()));

    new CompactedApi(client).compactStream(stream);
    subscriptions.createSubscription(
        stream, new CreateSubscription().name("late").start(new Place("bootstrap")));
    var state = new TreeMap<String, Object>();
    var late = subscriptions.commitAndPoll(stream, "late", new PollBody());
    for (int pages = 0; pages < 20; pages++) {
      for (var event : late.getEvents()) {
        if (event.getData() instanceof Map<?, ?> data) state.put(event.getKey(), data.get("total"));
        else state.remove(event.getKey());
      }
      if (late.getCaughtUp()) break;
      late = subscriptions.commitAndPoll(stream, "late", committing(late.getCursor()));
    }

    var target = new Place(new PlaceCursor().cursor(first.getCursor()));
    subscriptions.seek(stream, "reader", new SeekBody().to(target));
    var sought = subscriptions.poll(stream, "reader", null, null, null, null, null);

    var told = new LinkedHashMap<String, Object>();
    told.put("partitions", made.getPartitions());
    told.put("published", List.of(numbers(first), numbers(again), numbers(third), numbers(tombstone)));
    told.put("polled", List.of(sequences(page.getEvents()), sequences(rest.getEvents())));
    told.put("stale", committed.getStale());
    told.put("caughtUp", rest.getCaughtUp());
    told.put("state", state);
    told.put("consistent", late.getConsistent());
    told.put("sought", sequences(sought.getEvents()));
    told.put("problem", problem(() -> streams.getStream("no-such")));
    return told;
  }

  private PublishReceipt publish(PublishBody body, String idempotencyKey) throws ApiException {
    return events.publishEvents(
        stream, body, idempotencyKey, null, null, null, null, null, null, null, null, null, null);
  }

  private static PollBody committing(String cursor) {
    return new PollBody().commit(new PollBodyCommit(cursor));
  }

  private interface Asked {
    void ask() throws ApiException;
  }

  private List<Object> problem(Asked asked) throws java.io.IOException {
    try {
      asked.ask();
      throw new IllegalStateException("was not refused");
    } catch (ApiException refused) {
      var problem = client.getObjectMapper().readValue(refused.getResponseBody(), Problem.class);
      return List.of(
          problem.getCode().getValue(), problem.getRetry().getValue(), problem.getStatus());
    }
  }

  private static List<Long> numbers(PublishReceipt receipt) {
    return receipt.getEvents().stream().map(PublishedEvent::getSequence).toList();
  }

  private static List<Long> sequences(List<LedgerEvent> events) {
    return events.stream().map(LedgerEvent::getSequence).toList();
  }
}
