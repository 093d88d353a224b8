"""Verifies deliveries, one a line on standard input, and prints the keys of their events."""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

for line in sys.stdin:
    delivery = json.loads(line)
    webhook = Webhook(delivery["secret"])
    event = webhook.verify(delivery["text"], delivery["headers"])
    try:
        webhook.verify(delivery["text"] + " ", delivery["headers"])
    except WebhookVerificationError:
        print(event["key"])
    else:
        sys.exit("a changed body was accepted")
