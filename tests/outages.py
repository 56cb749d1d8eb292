"""How soon an outage is noticed and how soon results return: a camera is killed and frozen in turn.

python3 outages.py ROOT ROUNDS FOLDER prints one line of JSON with p50 and p99 in seconds. Needs what ./test.sh installs.
"""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

root, rounds, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
os.makedirs(folder, exist_ok=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


port, http = free_port(), free_port()
with open(f"{folder}/service.yaml", "w") as f:
    f.write(f'streams: {{ front: {{ source: "rtsp://127.0.0.1:{port}/cam", capture: {{ openTimeout: 8s }} }} }}\nsinks: [{{ kind: files, path: "{folder}/out" }}]\ntelemetry: {{ http: "127.0.0.1:{http}" }}\n')


def camera():
    started = subprocess.Popen(["/usr/bin/python3", f"{root}/docker/camera.py", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return started
        except OSError:
            time.sleep(0.01)


def get(path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{http}{path}", timeout=5) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.read().decode()
    except OSError:
        return ""


def until(wanted, limit=120):
    began = time.monotonic()
    while not wanted():
        if time.monotonic() - began > limit:
            raise SystemExit("nothing happened for two minutes")
        time.sleep(0.02)


def published():
    found = re.search(r'^metaprompts_frames_total\{[^}]*outcome="published"[^}]*\} (\S+)', get("/metrics"), re.M)
    return float(found.group(1)) if found else 0


def figures(times):
    times = sorted(times)
    return {"p50": round(times[len(times) // 2], 2), "p99": round(times[min(len(times) - 1, int(0.99 * len(times)))], 2), "n": len(times)}


server = camera()
service = subprocess.Popen(["dotnet", "exec", f"{root}/src/MetaPrompts.Cli/bin/Release/net10.0/metaprompts.dll", "run", "-c", f"{folder}/service.yaml", "--json"], stdout=subprocess.PIPE, stderr=open(f"{folder}/service.log", "w"), text=True)
noticed, returned = {"kill": [], "freeze": []}, {"kill": [], "freeze": []}
try:
    until(lambda: published() > 5)
    for n in range(rounds):
        what = ("kill", "freeze")[n % 2]
        before = time.monotonic()
        if what == "kill":
            server.kill()
            server.wait()
        else:
            server.send_signal(signal.SIGSTOP)
        until(lambda: "front: online" not in get("/readyz"))
        noticed[what].append(time.monotonic() - before)
        time.sleep(1)
        if what == "kill":
            server = camera()
        else:
            server.send_signal(signal.SIGCONT)
        before, count = time.monotonic(), published()
        until(lambda: published() > count)
        returned[what].append(time.monotonic() - before)
        time.sleep(1)
finally:
    service.send_signal(signal.SIGTERM)
    output, _ = service.communicate(timeout=60)
    server.send_signal(signal.SIGCONT)
    server.kill()

ledger = json.loads([line for line in output.splitlines() if line.startswith("{")][-1])
stream = ledger["streams"][0]
records = [json.loads(line) for folder_, _, files in os.walk(f"{folder}/out") for name in files if name == "records.jsonl" for line in open(os.path.join(folder_, name))]
sequences = sorted(record["seq"] for record in records)
dropped = stream["outcomes"]["dropped_queue"] + stream["outcomes"]["dropped_stale"] + stream["outcomes"]["failed"]
missing = (sequences[-1] + 1 - len(sequences)) if sequences else 0
print(json.dumps({"rounds": rounds, "load": os.getloadavg()[0], "noticed_s": {k: figures(v) for k, v in noticed.items() if v}, "first_result_after_return_s": {k: figures(v) for k, v in returned.items() if v},
                  "captured": stream["captured"], "published": stream["outcomes"]["published"], "epochs": stream["epochs"], "missing_numbers": missing, "reported_drops": dropped, "unreported": max(0, missing - dropped)}))
