# A test camera: a moving ball as H.264 at rtsp://camera:8554/cam
FROM debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
    gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly && rm -rf /var/lib/apt/lists/*
COPY camera.py /camera.py
ENTRYPOINT ["python3", "/camera.py"]
