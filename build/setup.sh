# What ./metaprompts, ./test.sh and .ci/run share: find the SDK, see to the system's packages, know whether the build is up to date.
# Sourced; expects ROOT, the repository's root. Everything said goes to stderr.

STATE="$ROOT/.metaprompts"
CONFIGURATION=Release
FLAVOR="${METAPROMPTS_FLAVOR:-cpu}"
PROGRAM="$ROOT/src/MetaPrompts.Cli/bin/$CONFIGURATION/net10.0/metaprompts.dll"

say() { printf 'metaprompts: %s\n' "$*" >&2; }

fail() {
    printf 'metaprompts: error: %s\n' "$*" >&2
    exit 1
}

case "$FLAVOR" in
    cpu | cuda | external) ;;
    *) fail "METAPROMPTS_FLAVOR: is '$FLAVOR'; write cpu, cuda or external" ;;
esac

# Sets DOTNET to a dotnet program that passes a test ($1), wherever a package or the install script has put it; the one that built last is asked first.
find_dotnet() {
    local candidate
    for candidate in "$(cat "$STATE/dotnet" 2> /dev/null || true)" "$(command -v dotnet || true)" "${DOTNET_ROOT:-}/dotnet" "${HOME:-}/.dotnet/dotnet" /usr/share/dotnet/dotnet /usr/lib/dotnet/dotnet; do
        if [ -n "$candidate" ] && [ -x "$candidate" ] && "$1" "$candidate"; then
            DOTNET="$candidate"
            return 0
        fi
    done
    return 1
}

has_sdk() { "$1" --list-sdks 2> /dev/null | grep -q '^10\.'; }

# An older SDK on PATH must not hide the right one, now or at the next start.
find_sdk() { find_dotnet has_sdk && mkdir -p "$STATE" && printf '%s\n' "$DOTNET" > "$STATE/dotnet"; }

# Prints what to put before apt-get here; fails where installing is not possible without asking.
apt_prefix() {
    [ "${METAPROMPTS_NO_INSTALL:-}" != 1 ] || return 1
    command -v apt-get > /dev/null || return 1
    if [ "$(id -u)" = 0 ]; then return 0; fi
    command -v sudo > /dev/null && sudo -n true 2> /dev/null && printf 'sudo -n'
}

# Installs packages, or says how. An attempt that failed is not repeated for a day, so that a start without network stays quick.
install_packages() {
    local prefix attempt="$STATE/apt-failed"
    if [ -n "$(find "$attempt" -mmin -1440 2> /dev/null)" ] || ! prefix="$(apt_prefix)"; then
        say "missing: $*; install with: sudo apt-get update && sudo apt-get install -y $*"
        return 1
    fi
    say "installing $*"
    if $prefix env DEBIAN_FRONTEND=noninteractive sh -c '{ apt-get install -y --no-install-recommends "$@" || { apt-get update && apt-get install -y --no-install-recommends "$@"; }; } < /dev/null' sh "$@" >&2; then
        rm -f "$attempt"
        return 0
    fi
    mkdir -p "$STATE" && touch "$attempt"
    say "could not install: $*; install with: sudo apt-get update && sudo apt-get install -y $*"
    return 1
}

has_library() {
    local folder
    for folder in /usr/lib/*-linux-gnu /usr/lib /usr/lib64 /usr/local/lib; do
        [ -e "$folder/$1" ] && return 0
    done
    { ldconfig -p || /sbin/ldconfig -p; } 2> /dev/null | grep -qF "$1"
}

# GTK 3 was renamed with the change of time_t (Ubuntu 24.04).
gtk_package() {
    if apt-cache show libgtk-3-0t64 > /dev/null 2>&1; then echo libgtk-3-0t64; else echo libgtk-3-0; fi
}

# ffmpeg reads and writes videos; the OpenCV runtime is linked with GTK even where no window is ever opened.
need_system_packages() {
    local missing=()
    command -v ffmpeg > /dev/null && command -v ffprobe > /dev/null || missing+=(ffmpeg)
    has_library libgtk-3.so.0 || missing+=("$(gtk_package)")
    [ ${#missing[@]} = 0 ] || install_packages "${missing[@]}" || true
}

# Real peers for tests; where they cannot be installed, their tests skip and say so.
need_test_packages() {
    local missing=()
    command -v mosquitto > /dev/null || [ -x /usr/sbin/mosquitto ] || missing+=(mosquitto)
    /usr/bin/python3 -c 'import cv2, paho.mqtt.client' > /dev/null 2>&1 || missing+=(python3-opencv python3-paho-mqtt)
    # Networks that lose packets.
    [ "$(id -u)" != 0 ] || [ -x /usr/sbin/iptables ] || missing+=(iptables iproute2)
    # A camera: GStreamer's RTSP server, driven from the system's Python.
    /usr/bin/python3 -c "import gi; gi.require_version('GstRtspServer', '1.0')" 2> /dev/null && [ -n "$(find /usr/lib -name libgstx264.so -print -quit)" ] ||
        missing+=(python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly)
    [ ${#missing[@]} = 0 ] || install_packages "${missing[@]}" || true
}

need_sdk() {
    if find_sdk; then return 0; fi
    if apt-cache show dotnet-sdk-10.0 > /dev/null 2>&1 && install_packages dotnet-sdk-10.0 && find_sdk; then return 0; fi
    fail ".NET SDK 10: not found; install it with: curl -sSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0"
}

# The files a build is made of.
source_files() {
    find "$ROOT/src" "$ROOT/build" "$ROOT/global.json" "$ROOT"/Directory.*.props "$ROOT"/Directory.*.targets \
        \( -name bin -o -name obj \) -prune -o -type f "$@"
}

# Their names, so that one taken away or added is noticed, and the flavour.
source_list() {
    printf '%s\n' "$FLAVOR"
    source_files -print | LC_ALL=C sort
}

up_to_date() {
    local stamp="$STATE/build-stamp"
    [ -f "$PROGRAM" ] && [ -f "$stamp" ] || return 1
    [ "$(source_list | cksum)" = "$(cat "$stamp")" ] || return 1
    [ -z "$(source_files -newer "$stamp" -print -quit)" ]
}

# Runs the given build; remembers it as up to date from the moment it began, so that what is edited meanwhile is built next time.
stamped() {
    local next="$STATE/build-stamp.next"
    mkdir -p "$STATE"
    source_list | cksum > "$next"
    "$@" || return 1
    mv "$next" "$STATE/build-stamp"
}

# Build servers would outlive the build and keep its lock and its output open.
dotnet_build() {
    DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1 \
        "$DOTNET" build "$@" -c "$CONFIGURATION" -p:Flavor="$FLAVOR" --disable-build-servers -v q -nologo >&2 9>&-
}
