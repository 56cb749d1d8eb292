"""See figures.sh. python3 figures.py ROOT SECONDS FOLDER [loads|cameras]"""
import datetime
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import paho.mqtt.client as mqtt

root, seconds, folder = os.path.abspath(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
mosquitto = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
program = f"{root}/src/MetaPrompts.Cli/bin/Release/net10.0/metaprompts.dll"
ticks = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def quantiles(values):
    values = sorted(values)
    at = lambda share: round(values[int(share * (len(values) - 1))], 1) if values else None
    return {"p50": at(0.5), "p99": at(0.99), "n": len(values)}


def cpu_of(pid):
    """Seconds of a process, and of its threads that run the model."""
    def used(path):
        with open(path) as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / ticks

    model = 0.0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/comm") as f:
                if f.read().startswith("metaprompts-dev"):
                    model += used(f"/proc/{pid}/task/{task}/stat")
        except OSError:
            pass
    return used(f"/proc/{pid}/stat"), model


def children_of(pid):
    found = []
    for other in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{other}/stat") as f:
                if int(f.read().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(other))
        except OSError:
            pass
    return found


class Service:
    """A service with a broker and a subscriber that notes when each record came."""

    def __init__(self, name, streams):
        self.broker_port, self.http = free_port(), free_port()
        with open(f"{folder}/{name}.conf", "w") as f:
            f.write(f"listener {self.broker_port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
        with open(f"{folder}/{name}.yaml", "w") as f:
            f.write("node: figures\nstreams:\n" + "".join(f'  {id}: {{ source: "{source}", capture: {{ openTimeout: 60s, stallTimeout: 60s }} }}\n' for id, source in streams.items()))
            f.write(f'sinks: [{{ kind: mqtt, url: "mqtt://127.0.0.1:{self.broker_port}" }}]\ntelemetry: {{ http: "127.0.0.1:{self.http}" }}\n')
        self.broker = subprocess.Popen([mosquitto, "-c", f"{folder}/{name}.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.heard, self.lock, self.streams = [], threading.Lock(), list(streams)
        self.ear = mqtt.Client(*([mqtt.CallbackAPIVersion.VERSION2] if hasattr(mqtt, "CallbackAPIVersion") else []), protocol=mqtt.MQTTv5)
        self.ear.on_message = self.on_message
        while True:
            try:
                self.ear.connect("127.0.0.1", self.broker_port)
                break
            except OSError:
                time.sleep(0.05)
        # Maps, too: a subscriber that wants everything.
        self.ear.subscribe("metaprompts/v1/+/streams/+/+", 1)
        self.ear.loop_start()
        self.process = subprocess.Popen(["dotnet", "exec", program, "run", "-c", f"{folder}/{name}.yaml", "--json"], stdout=subprocess.PIPE, stderr=open(f"{folder}/{name}.log", "w"), text=True,
                                        env={**os.environ, "OMP_WAIT_POLICY": "passive"})

    def on_message(self, _client, _userdata, message):
        now = time.time_ns() // 1000
        if message.topic.endswith("/frame"):
            record = json.loads(message.payload)
            with self.lock:
                self.heard.append((now, record["stream"], record["capture_us"], record["latency_ms"]))

    def published(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/metrics", timeout=10) as answer:
                text = answer.read().decode()
        except (urllib.error.URLError, OSError):
            return {}
        found = re.findall(r'^metaprompts_frames_total\{([^}]*)\} (\S+)', text, re.M)
        of = lambda tags, key: re.search(key + r'="([^"]*)"', tags).group(1)
        return {of(tags, "stream"): float(value) for tags, value in found if of(tags, "outcome") == "published"}

    def wait(self):
        """Until every stream has been served a few times: the first frames of a network are slow."""
        end = time.monotonic() + 300
        while not all(self.published().get(id, 0) >= 3 for id in self.streams):
            if time.monotonic() > end or self.process.poll() is not None:
                raise SystemExit(f"the service did not serve every stream; see {folder}")
            time.sleep(0.5)

    def measure(self):
        """What happens in the given time."""
        with self.lock:
            self.heard.clear()
        counted, (total, model), kids = self.published(), cpu_of(self.process.pid), {pid: cpu_of(pid)[0] for pid in children_of(self.process.pid)}
        load, began = os.getloadavg()[0], time.monotonic()
        time.sleep(seconds)
        took, counted_after, (total_after, model_after) = time.monotonic() - began, self.published(), cpu_of(self.process.pid)
        decoding = sum(cpu_of(pid)[0] - before for pid, before in kids.items() if os.path.exists(f"/proc/{pid}"))
        with self.lock:
            heard = list(self.heard)
        served = [counted_after[id] - counted.get(id, 0) for id in self.streams]
        frames = max(1, sum(served))
        return heard, {
            "streams": len(served), "seconds": round(took, 1), "load_average": round((load + os.getloadavg()[0]) / 2, 1), "served_per_s": round(sum(served) / took, 2),
            "jain": round(sum(served) ** 2 / (len(served) * sum(n * n for n in served)), 4) if any(served) else 0,
            "cpu_ms_per_result": {"model": round(1000 * (model_after - model) / frames, 1), "rest_of_service": round(1000 * (total_after - total - model_after + model) / frames, 1), "decoders": round(1000 * decoding / frames, 1)},
            "cores": {"model": round((model_after - model) / took, 2), "rest_of_service": round((total_after - total - model_after + model) / took, 3), "decoders": round(decoding / took, 3)},
        }

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        output, _ = self.process.communicate(timeout=90)
        self.ear.loop_stop()
        self.broker.terminate()
        self.broker.wait()
        ledger = json.loads([line for line in output.splitlines() if line.startswith("{")][-1])
        if any(s["captured"] != sum(s["outcomes"].values()) for s in ledger["streams"]):
            raise SystemExit("the ledger does not add up")


def case(name, streams):
    service = Service(name, streams)
    try:
        service.wait()
        heard, figures = service.measure()
        service.end()
    finally:
        service.process.kill()
        service.broker.kill()
    ages = [(now - captured) / 1000 for now, _, captured, _ in heard]
    figures["age_at_subscriber_ms"] = quantiles(ages)
    figures["age_less_model_ms"] = quantiles([age - latency["inference"] for age, (_, _, _, latency) in zip(ages, heard)])
    # How old the newest result is at any moment, looked at every 10 ms.
    moments, newest, at = [], None, 0
    for moment in range(heard[0][0], heard[-1][0], 10_000) if heard else []:
        while at < len(heard) and heard[at][0] <= moment:
            newest, at = max(newest or 0, heard[at][2]), at + 1
        moments.append((moment - newest) / 1000)
    figures["age_of_newest_ms"] = quantiles(moments)
    return figures


def synthetic(rate):
    return {"one": f"synthetic:640x360?rate={rate:.4g}&frames=endless&live"}


def model_name():
    with open("/proc/cpuinfo") as f:
        found = re.search(r"model name\s*:\s*(.+)", f.read())
    return found.group(1) if found else "unknown"


result = {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="minutes"), "machine": {"processor": model_name(), "cores": os.cpu_count()},
          "method": "real program, mini, three tasks; mosquitto (set_tcp_nodelay true) and a subscriber to all maps and records on loopback; test pattern 640x360, then RTSP 640x360 at 15 Hz by GStreamer; age: capture to the record at the subscriber"}
parts = sys.argv[4:] or ["loads", "cameras"]
if "loads" in parts:
    # Twice, and the better one: what else the machine does makes it look slower, never faster.
    full = max((case(f"full{n}", synthetic(80)) for n in range(2)), key=lambda figures: figures["served_per_s"])
    result["capacity"] = full
    result["load_50"] = {"rate_hz": round(full["served_per_s"] / 2, 2), **case("half", synthetic(full["served_per_s"] / 2))}
    result["load_200"] = {"rate_hz": round(full["served_per_s"] * 2, 2), **case("double", synthetic(full["served_per_s"] * 2))}
if "cameras" in parts:
    port = free_port()
    camera = subprocess.Popen(["/usr/bin/python3", f"{root}/docker/camera.py", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for count in (1, 4, 16):
            result[f"cameras_{count}"] = case(f"cameras{count}", {f"cam{i}": f"rtsp://127.0.0.1:{port}/cam" for i in range(count)})
    finally:
        camera.kill()
print(json.dumps(result))
