"""The platform's own Python SDK, unmodified, against a running simulator.

The simulator is only worth something if a client that was written for the real platform cannot tell the difference.
This script points the official SDK at it, does what a consumer does (token, channel, topics, users, queues, a
conversation), listens on the channel's socket, and validates every body against the published shapes where these are
at hand.

usage: sdk_check.py http://127.0.0.1:PORT [FOLDER_WITH_SCHEMAS] [CLIENT_ID CLIENT_SECRET]

Needs the packages PureCloudPlatformClientV2, websocket-client and jsonschema. Ends with 0 when all holds.
"""

import json
import os
import pathlib
import re
import sys
import time
import urllib.request

import jsonschema
import PureCloudPlatformClientV2 as sdk
import websocket

FRAMES_WANTED = 400
FRAMES_WITHIN_S = 60


def load_schemas(folder):
    """Topic patterns with their validators, and validators of REST roots by name."""
    topics, roots = [], {}
    for path in sorted(pathlib.Path(folder).glob("*.schema.json")) if folder else []:
        schema = json.loads(path.read_text())
        for topic, reference in schema.get("x-topics", {}).items():
            pattern = re.compile("^" + re.escape(topic).replace(re.escape("{id}"), "[^.]+") + "$")
            topics.append((pattern, validator(schema, reference["$ref"].rsplit("/", 1)[1])))
        for root in schema.get("x-roots", []):
            roots[root] = validator(schema, root)
    return topics, roots


def validator(schema, name):
    whole = {"$schema": schema["$schema"], "definitions": schema["definitions"], "$ref": f"#/definitions/{name}"}
    return jsonschema.Draft7Validator(whole, format_checker=jsonschema.FormatChecker())


def check(schema, body, what):
    errors = [f"{'/'.join(map(str, error.path))}: {error.message}" for error in schema.iter_errors(body)]
    assert not errors, f"{what} does not validate:\n" + "\n".join(errors[:5])


def connect(url, client_id, secret):
    client = sdk.api_client.ApiClient(host=url)
    return client.get_client_credentials_token(client_id, secret)


def check_refusal(url):
    try:
        connect(url, "nobody", "nothing")
    except sdk.rest.ApiException as error:
        assert error.status == 400 and "invalid_client" in error.body, (error.status, error.body)
    else:
        raise AssertionError("a wrong secret was let in")


def subscribe(client, users, queues):
    api = sdk.NotificationsApi(client)
    names = [topic.id for topic in api.get_notifications_availabletopics(expand=["description", "schema"]).entities]
    assert "v2.users.{id}.conversations" in names, names
    channel = api.post_notifications_channels()
    assert channel.connect_uri.startswith("ws://") and channel.expires is not None
    assert channel.id in [known.id for known in api.get_notifications_channels().entities]
    api.head_notifications_channel(channel.id)

    first = topic(f"v2.users.{users[0].id}.presence")
    api.post_notifications_channel_subscriptions(channel.id, [first])
    assert [one.id for one in listed(api, channel)] == [first.id]
    try:
        api.post_notifications_channel_subscriptions(channel.id, [topic("v2.nothing.of.the.kind")])
    except sdk.rest.ApiException as error:
        assert error.status == 400 and json.loads(error.body)["code"] == "notification.invalid.topic", error.body
    else:
        raise AssertionError("an invalid topic was taken")

    wanted = [topic(f"v2.users.{user.id}?presence&routingStatus&activity&conversations") for user in users]
    media = ["calls", "callbacks", "chats", "emails", "messages"]
    wanted += [topic(f"v2.users.{user.id}.conversations.{medium}") for user in users[:10] for medium in media]
    wanted += [topic(f"v2.routing.queues.{queue.id}.conversations") for queue in queues]
    wanted += [topic(f"v2.routing.queues.{queue.id}.conversations.{medium}") for queue in queues for medium in media]
    wanted.append(topic("v2.nothing.of.the.kind"))
    verdicts = api.put_notifications_channel_subscriptions(channel.id, wanted, ignore_errors=True).entities
    rejected = [verdict.id for verdict in verdicts if verdict.state == "Rejected"]
    assert rejected == ["v2.nothing.of.the.kind"], rejected
    assert len(listed(api, channel)) == len(wanted) - 1
    return api, channel


def topic(name):
    body = sdk.ChannelTopic()
    body.id = name
    return body


def listed(api, channel):
    return api.get_notifications_channel_subscriptions(channel.id).entities


def pages(get, **arguments):
    entities, number = [], 1
    while True:
        page = get(page_size=10, page_number=number, **arguments)
        entities += page.entities
        if number >= page.page_count:
            assert len(entities) == page.total
            return entities
        number += 1


def listen(channel, topics, api, socket):
    """Reads frames, validates each, and returns the ids of conversations with the topics that were seen."""
    seen, conversations, details = {}, set(), set()
    socket.send(json.dumps({"message": "ping"}))
    until = time.monotonic() + FRAMES_WITHIN_S
    while sum(seen.values()) < FRAMES_WANTED and time.monotonic() < until:
        frame = json.loads(socket.recv())
        name, body = frame["topicName"], frame["eventBody"]
        kind = re.sub(r"[0-9a-f-]{36}", "{id}", name)
        seen[kind] = seen.get(kind, 0) + 1
        if name == "channel.metadata":
            assert body["message"] in ("pong", "WebSocket Heartbeat"), body
            continue
        assert frame["version"] == "2" and frame["metadata"]["CorrelationId"]
        schemas = [schema for pattern, schema in topics if pattern.match(name)]
        assert schemas or not topics, f"no schema for {name}"
        for schema in schemas:
            check(schema, body, name)
        if kind.endswith(".conversations"):
            conversations.add(body["id"])
            check_life_cycle(body)
            if len(details) < 10 and body["id"] not in details:
                details.add(body["id"])
                ends = ["customer.end", "acd.end", "user.start", "user.end", "flow.end", "acw"]
                names = [topic(f"v2.detail.events.conversation.{body['id']}.{end}") for end in ends]
                api.post_notifications_channel_subscriptions(channel.id, names)
    assert "channel.metadata" in seen, "no answer to the ping"
    return seen, conversations


def check_life_cycle(body):
    """What the schema cannot say: connected legs have a connect, ended ones an end with its reason."""
    assert "startTime" not in body
    for participant in body["participants"]:
        assert "startTime" not in participant
        for legs in ("calls", "callbacks", "chats", "emails", "messages"):
            for leg in participant[legs]:
                if leg["state"] == "connected":
                    assert "connectedTime" in leg and "disconnectedTime" not in leg, leg
                if leg["state"] in ("terminated", "disconnected"):
                    assert "disconnectedTime" in leg and "disconnectType" in leg, leg
                assert leg["held"] == ("startHoldTime" in leg), leg


def read_conversations(client, roots, ids):
    api, analytics = sdk.ConversationsApi(client), sdk.AnalyticsApi(client)
    for conversation in sorted(ids)[:20]:
        body = api.get_conversation(conversation)
        assert body.id == conversation and body.start_time is not None and body.participants
    activity = api.post_analytics_conversations_activity_query(
        {"metrics": [{"metric": "oWaiting"}, {"metric": "oAlerting"}, {"metric": "oInteracting"}]}
    )
    live = {entity.conversation_id for result in activity.results for entity in result.entities}
    assert live, "nothing is live"
    now = time.time()
    stamp = lambda at: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    query = {"interval": f"{stamp(now - 600)}/{stamp(now + 60)}", "paging": {"pageSize": 100, "pageNumber": 1}}
    details = analytics.post_analytics_conversations_details_query(query)
    assert details.total_hits >= len(details.conversations) > 0
    if "AnalyticsConversationQueryResponse" in roots:
        check_raw(client, roots, query, sorted(ids)[:20])
    try:
        api.get_conversation("00000000-0000-4000-8000-000000000000")
    except sdk.rest.ApiException as error:
        assert error.status == 404 and json.loads(error.body)["code"] == "not.found", error.body
    else:
        raise AssertionError("a conversation that is not there was found")


def check_raw(client, roots, query, ids):
    """The same answers as they came over the wire, against the schemas."""

    def call(path, method, body=None):
        headers = {"Authorization": f"Bearer {client.access_token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(client.host + path, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    rest = "/api/v2/analytics/conversations"
    check(roots["AnalyticsConversationQueryResponse"], call(f"{rest}/details/query", "POST", query), "details")
    metrics = {"metrics": [{"metric": "oWaiting"}]}
    check(roots["ConversationActivityResponse"], call(f"{rest}/activity/query", "POST", metrics), "activity")
    for conversation in ids:
        body = call(f"/api/v2/conversations/{conversation}", "GET")
        check(roots["Conversation"], body, "GET conversation")


def main():
    url = sys.argv[1].rstrip("/")
    folder = sys.argv[2] if len(sys.argv) > 2 and os.path.isdir(sys.argv[2]) else None
    client_id, secret = sys.argv[3:5] if len(sys.argv) > 4 else ("demo", "demo")
    topics, roots = load_schemas(folder)
    check_refusal(url)
    client = connect(url, client_id, secret)
    users = pages(sdk.UsersApi(client).get_users, expand=["presence", "routingStatus"])
    queues = pages(sdk.RoutingApi(client).get_routing_queues)
    assert users[0].presence.presence_definition.system_presence
    api, channel = subscribe(client, users, queues)
    socket = websocket.create_connection(channel.connect_uri, timeout=30)
    seen, conversations = listen(channel, topics, api, socket)
    read_conversations(client, roots, conversations)
    socket.close()
    api.delete_notifications_channel_subscriptions(channel.id)
    assert listed(api, channel) == []
    for kind, count in sorted(seen.items()):
        print(f"{count:6} {kind}")
    print(f"all holds: {sum(seen.values())} frames, {len(conversations)} conversations, {len(topics)} schemas of topics")


if __name__ == "__main__":
    status = 1
    try:
        main()
        status = 0
    except Exception:
        import traceback

        traceback.print_exc()
    finally:
        # The SDK's configuration leaves a thread behind that would keep the process alive.
        sys.stdout.flush()
        os._exit(status)
