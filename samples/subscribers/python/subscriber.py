"""Prints every depth map and every frame record:  python3 subscriber.py [HOST [PORT]]      needs paho-mqtt and OpenCV (apt install python3-paho-mqtt python3-opencv)"""
import json, sys
import cv2, numpy as np, paho.mqtt.client as mqtt

def heard(_client, _userdata, message):
    stream, kind = message.topic.split("/")[4:]
    if kind == "depth":
        millimetres = cv2.imdecode(np.frombuffer(message.payload, np.uint8), -1)
        sent = dict(message.properties.UserProperty)
        print(stream, sent["seq"], "map", millimetres.shape, millimetres.dtype, f"nearest {millimetres.min() / 1000:.3f} m", flush=True)
    else:
        record = json.loads(message.payload)
        print(stream, record["seq"], "record", [c["name"] for c in record.get("segmentation", {}).get("classes", [])], flush=True)

client = mqtt.Client(*([mqtt.CallbackAPIVersion.VERSION2] if hasattr(mqtt, "CallbackAPIVersion") else []), protocol=mqtt.MQTTv5)  # paho 2 or 1
client.on_message = heard
client.on_connect = lambda client, *_: client.subscribe([("metaprompts/v1/+/streams/+/depth", 0), ("metaprompts/v1/+/streams/+/frame", 1)])
client.connect(sys.argv[1] if len(sys.argv) > 1 else "localhost", int(sys.argv[2]) if len(sys.argv) > 2 else 1883)
client.loop_forever()
