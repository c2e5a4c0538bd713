"""Start the toolkit's own `serve`, send it requests, write what it answers: `python hosted.py REQUESTS ANSWERS SERVE`.

Both files are JSON lists: of {"body": base64, "headers"} and of {"status", "type", "body": base64}. It runs within the
container, whose network nobody else reaches.
"""

import base64
import http.client
import json
import subprocess
import sys
import time

PORT, START_SECONDS, ANSWER_SECONDS = 8080, 60, 60


def asked(method, path, body=None, headers=None):
    """One request; OSError where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=ANSWER_SECONDS)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return {
            "status": answer.status,
            "type": answer.getheader("Content-Type"),
            "body": base64.b64encode(answer.read()).decode(),
        }
    finally:
        connection.close()


def started(server):
    """Wait for /ping; False where the server has ended, or does not answer in time."""
    until = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < until:
        try:
            if asked("GET", "/ping")["status"] == 200:
                return True
        except OSError:
            pass  # it does not listen yet
        time.sleep(0.1)
    return False


def main():
    """Serve, ask, end."""
    requests, answers, *command = sys.argv[1:]
    server = subprocess.Popen(command)
    try:
        if not started(server):
            sys.exit("the server did not start")
        with open(requests) as file:
            wanted = json.load(file)
        found = [asked("POST", "/invocations", base64.b64decode(each["body"]), each["headers"]) for each in wanted]
        with open(answers, "w") as file:
            json.dump(found, file)
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
