/** What a reader does first, and where everything else is. It is above the list of operations. */
export const START = `<div class="page">
<nav aria-label="Pages"><strong>EventLedger</strong> <a href="/console">Console</a>
<a href="#operations">Operations</a> <a href="/docs/problems">Problems</a>
<a href="/openapi.json">OpenAPI</a></nav>
<h1>Start here</h1>
<p>An ordered, immutable event log. One service publishes changes of its things, each under a key.
Another loads the current state of every key once, and then follows the changes.</p>

<h2>What to do first</h2>
<p>You need an API key. Each step below is one request. The <a href="/console">console</a> shows
what they do, and has commands with your key in them.</p>
<ol>
<li><strong>Create a stream.</strong> <pre tabindex="0">curl $URL/streams -H "Authorization: Bearer $KEY" \\
  -H 'Content-Type: application/json' -d '{"name":"orders"}'</pre></li>
<li><strong>Publish an event.</strong> With an <code>Idempotency-Key</code>, sending it again writes
nothing twice. <pre tabindex="0">curl $URL/streams/orders/events -H "Authorization: Bearer $KEY" \\
  -H 'Content-Type: application/json' -H 'Idempotency-Key: order-1-placed' \\
  -d '{"key":"order-1","type":"order.placed","data":{"total":42}}'</pre></li>
<li><strong>Subscribe.</strong> The server keeps the position of each subscription.
<pre tabindex="0">curl $URL/streams/orders/subscriptions -H "Authorization: Bearer $KEY" \\
  -H 'Content-Type: application/json' -d '{"name":"shipping","start":"earliest"}'</pre></li>
<li><strong>Poll, process, commit.</strong> Each request commits the page before it. What is not
committed is delivered again. <pre tabindex="0">curl $URL/streams/orders/subscriptions/shipping/poll \\
  -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' \\
  -d '{"commit":{"sequence":1}}'</pre></li>
</ol>

<h2>Guides</h2>
<ul class="guides">
<li><strong>Load the current state first.</strong> Start a subscription with
<code>"start":"bootstrap"</code>: it receives the state of each key once, then every later change.
When a page says <code>consistent</code>, your copy is exact.</li>
<li><strong>Process safely.</strong> An event can come twice after a crash. Compare
<code>life</code> and <code>sequence</code> with those that you keep for the key.</li>
<li><strong>An event fails.</strong> Park its key: its events wait, and all others go on. Retry or
skip it later, here or in the <a href="/console">console</a>.</li>
<li><strong>Several processes.</strong> Each polls with a <code>consumer</code> name of its own. They
share the keys, and take over from each other.</li>
<li><strong>Publish once.</strong> <code>expectedSequence</code> and <code>If-Match</code> write only
if the key has not changed since you read it.</li>
<li><strong>Look without subscribing.</strong> <code>GET …/events?order=desc</code> reads the newest
first; <code>last=20</code>, a time, a sequence or a key choose others.</li>
</ul>

<h2>When something is refused</h2>
<p>Every error has a <code>code</code>, says what to do in <code>detail</code>, and says in
<code>retry</code> whether sending it again can help. <a href="/docs/problems">Problems</a> has the
cause, the remedy and an example of each. These are the most frequent:</p>
<ul>
<li>400 <a href="/docs/problems#invalid-request"><code>invalid-request</code></a>: a field is wrong;
<code>errors</code> points at it.</li>
<li>401 <a href="/docs/problems#unauthorized"><code>unauthorized</code></a> and 403
<a href="/docs/problems#forbidden"><code>forbidden</code></a>: the key is not known, or lacks a
right.</li>
<li>404 <a href="/docs/problems#stream-not-found"><code>stream-not-found</code></a>: no such stream,
or the key does not cover it.</li>
<li>409 <a href="/docs/problems#lease-lost"><code>lease-lost</code></a>: another worker has the keys
now; poll again.</li>
<li>410 <a href="/docs/problems#retention-passed"><code>retention-passed</code></a>: the events are
no longer kept; seek to the place in <code>seek</code>.</li>
<li>503 <a href="/docs/problems#outcome-unknown"><code>outcome-unknown</code></a>: send exactly the
same again.</li>
</ul>
<h2 id="operations">Operations</h2>
<p class="soft">Each has its parameters, an example of every status, and a way to try it with your
key.</p>
</div>`;
