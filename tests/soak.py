"""See soak.sh. python3 soak.py ROOT MINUTES FOLDER"""
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

root, minutes, folder = sys.argv[1], float(sys.argv[2]), sys.argv[3]
mosquitto = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
rate = os.environ.get("SOAK_RATE", "5Hz")
choose = random.Random(int(os.environ.get("SOAK_SEED", "1")))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Peer:
    """A process that may be killed, frozen and started again."""

    def __init__(self, name, *command):
        self.name, self.command, self.process = name, command, None
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def freeze(self, on):
        self.process.send_signal(signal.SIGSTOP if on else signal.SIGCONT)


broker_port, http = free_port(), free_port()
cameras = {f"cam{i}": free_port() for i in range(2)}
with open(f"{folder}/broker.conf", "w") as f:
    f.write(f"listener {broker_port} 127.0.0.1\nallow_anonymous true\n")
with open(f"{folder}/service.yaml", "w") as f:
    f.write("node: soak\ndefaults: { maxRate: " + rate + ", capture: { openTimeout: 5s, reconnect: { initial: 500ms, max: 4s } } }\nstreams:\n")
    for name, port in cameras.items():
        f.write(f'  {name}: {{ source: "rtsp://127.0.0.1:{port}/cam" }}\n')
    f.write('  away: { source: "rtsp://127.0.0.1:1/none" }\n  pattern: { source: "synthetic:320x180?rate=10&frames=endless&live", reuse: { enabled: true } }\n')
    f.write(f'sinks:\n  - {{ kind: mqtt, url: "mqtt://127.0.0.1:{broker_port}", reconnect: {{ initial: 200ms, max: 2s }} }}\n')
    f.write(f'  - {{ kind: files, path: "{folder}/out/{{stream}}", rotate: 20s }}\n  - {{ kind: video, path: "{folder}/out/{{stream}}.mp4", segment: 15s, streams: [pattern] }}\n')
    f.write(f'telemetry: {{ http: "127.0.0.1:{http}", logFormat: json }}\nshutdown: {{ drain: 15s }}\n')

peers = [Peer("broker", mosquitto, "-c", f"{folder}/broker.conf")]
peers += [Peer(name, "/usr/bin/python3", f"{root}/docker/camera.py", str(port)) for name, port in cameras.items()]
program = f"{root}/src/MetaPrompts.Cli/bin/Release/net10.0/metaprompts.dll"
log = open(f"{folder}/service.log", "w")
service = subprocess.Popen(["dotnet", "exec", program, "run", "-c", f"{folder}/service.yaml", "--json"], stdout=subprocess.PIPE, stderr=log, text=True,
                           env={**os.environ, "OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")})


def children():
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                fields = f.read().rpartition(")")[2].split()
            if int(fields[1]) == service.pid:
                found.append((int(pid), fields[0]))
        except OSError:
            pass
    return found


def metrics():
    with urllib.request.urlopen(f"http://127.0.0.1:{http}/metrics", timeout=10) as answer:
        return answer.read().decode()


def sample():
    with open(f"/proc/{service.pid}/status") as f:
        status = f.read()
        rss, threads = int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024, int(re.search(r"Threads:\s+(\d+)", status).group(1))
    text = metrics()
    tensors = re.search(r"^metaprompts_live_tensors\S*(?:\{[^}]*\})? (\S+)", text, re.M)
    mine = children()
    return {"rss_mib": rss, "threads": threads, "files": len(os.listdir(f"/proc/{service.pid}/fd")), "children": len(mine), "zombies": sum(state == "Z" for _, state in mine), "tensors": float(tensors.group(1)) if tensors else 0}


def wait_ready():
    end = time.time() + 120
    while time.time() < end:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{http}/readyz", timeout=5)
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the service did not become ready")


failures, samples, faults = [], [], {}
try:
    wait_ready()
    began = time.time()
    end = began + 60 * minutes
    while time.time() < end:
        peer = choose.choice(peers)
        what = choose.choice(["kill", "freeze"])
        faults[f"{what} {peer.name}"] = faults.get(f"{what} {peer.name}", 0) + 1
        if what == "kill":
            peer.kill()
            time.sleep(choose.uniform(0.1, 4))
            peer.start()
        else:
            peer.freeze(True)
            time.sleep(choose.uniform(0.5, 6))
            peer.freeze(False)
        time.sleep(choose.uniform(1, 5))
        samples.append({"at": time.time() - began, **sample()})
        if service.poll() is not None:
            failures.append(f"ended by itself with {service.returncode}")
            break
    most_children = max(s["children"] for s in samples)
    if most_children > len(cameras) + 1 + 4:
        failures.append(f"{most_children} children at a time")
    if any(s["zombies"] > 1 for s in samples):
        failures.append("children were not reaped")
finally:
    if service.poll() is None:
        service.send_signal(signal.SIGTERM)
    try:
        output, _ = service.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        service.kill()
        output, _ = service.communicate()
        failures.append("did not end within 60 s of SIGTERM")
    left = children()
    for peer in peers:
        peer.freeze(False)
        peer.kill()

ledger = json.loads([line for line in output.splitlines() if line.startswith("{")][-1]) if service.returncode == 0 else {"streams": []}
if service.returncode != 0:
    failures.append(f"exit code {service.returncode}")
for stream in ledger["streams"]:
    if stream["captured"] != sum(stream["outcomes"].values()):
        failures.append(f"{stream['stream']}: the ledger does not add up")
    if stream["stream"] != "away" and stream["outcomes"]["published"] == 0:
        failures.append(f"{stream['stream']}: nothing was published")
if left:
    failures.append(f"{len(left)} children were left behind")

third = max(1, len(samples) // 3)


def growth(key):
    """From the second third to the last; in the first a program still warms up."""
    first, middle, last = samples[:third], samples[third:-third] or samples[:third], samples[-third:]
    mean = lambda part, k: sum(s[k] for s in part) / len(part)
    hours = (mean(last, "at") - mean(middle, "at")) / 3600
    return {"first": round(mean(first, key), 1), "middle": round(mean(middle, key), 1), "last": round(mean(last, key), 1), "per_hour": round((mean(last, key) - mean(middle, key)) / hours, 1) if hours > 0 else 0}


with open(f"{folder}/samples.jsonl", "w") as f:
    f.writelines(json.dumps(s) + "\n" for s in samples)
slopes = {key: growth(key) for key in ("rss_mib", "threads", "files", "children", "tensors")}
if slopes["tensors"]["last"] > slopes["tensors"]["first"] * 1.05 + 20:
    failures.append("tensors grow")
if slopes["files"]["last"] > slopes["files"]["first"] + 12:
    failures.append("open files grow")
if minutes >= 2 and slopes["rss_mib"]["last"] > slopes["rss_mib"]["middle"] * 1.15 + 50:
    failures.append("memory grows")
print(json.dumps({"minutes": minutes, "faults": faults, "slopes": slopes, "streams": ledger["streams"], "sinks": ledger.get("sinks"), "failures": failures}))
sys.exit(1 if failures else 0)
