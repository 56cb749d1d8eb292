"""Whether the tests of the rows of docs/5-operations/faults.md can fail: copies the repository, breaks one place for each row, and runs each row's test, which must fail.

python3 mutants.py ROOT FOLDER [ROW…]     All given rows (all there are) are broken in one build; give one row to be sure that it was that break which its test found. Prints a line a row and one of JSON.
"""
import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml

# rows, file, what stands there, what takes its place, project, method
MUTANTS = [
    ("1", "Core/Flow/SourceSupervisor.cs", "is { } last ? last + 1 : 0;", "is { } last ? last - last : 0;", "Core", "*SourceSupervisorTests.Each_opening_is_an_epoch_and_numbers_go_on"),
    ("2", "Io/Capture/StallWatch.cs", "public TimeSpan Limit => ", "public TimeSpan Limit => _seen >= 2 ? TimeSpan.FromSeconds(15) : ", "Io", "*AKilledCameraIsMissedAtOnceAndAFrozenOneAfterThreeGaps"),
    ("3", "Io/Ffmpeg/CameraErrors.cs", "=> MissingPackets().IsMatch(line);", "=> line == \"never\";", "Io", "*LostPacketsCostPicturesThatSayTheyAreDamagedAndNothingElse"),
    ("4", None, None, None, "Io", "*ACutNetworkIsRiddenOutOrLeftAndOldPicturesDoNotFollow"),           # as row 2
    ("6", "Io/Capture/CameraWords.cs", "_travels ??= travelling.Size;", "_travels = travelling.Size;", "Io", "*ASizeThatChangesMidStreamIsFollowed"),
    ("7", "Io/Ffmpeg/CameraErrors.cs", "=> DamagedPicture().IsMatch(line);", "=> line == \"never\";", "Io", "*BrokenBitsNeverCrashAndAreFlagged"),
    ("9", "Io/Capture/CameraWords.cs", "new CameraFrame(shown.Time - _first.Value,", "new CameraFrame(TimeSpan.Zero,", "Io", "*CameraStreamTests.TimesThatWrapOrJumpCostNoFrameAndNoOrder"),
    ("10", "Core/Flow/ReconnectOptions.cs", "        random * TimeSpan", "        (random >= 0 ? 1 : 0) * TimeSpan", "Core", "*Sixty_four_cameras_that_are_lost_together_do_not_return_together"),
    ("12", "Io/Sinks/VideoParts.cs", "File.Exists(Video(part + 1)) ? packets : packets - 1;", "packets - 1;", "Io", "*A_run_may_be_interrupted_again_and_again"),
    ("15", "Io/Mqtt/DeliveryBook.cs", "if (messages == 0) return;", "if (messages == 0 || cause == Loss.Expired) return;", "Io", "*AKilledBrokerCostsOnlyWhatIsCounted"),
    ("16", "Io/Mqtt/MqttPump.cs", "Math.Min(options.MaxInFlight, limits", "Math.Min(100 + options.MaxInFlight, limits", "Io", "*WhatIsUnansweredIsBounded"),
    ("17", "Core/Wire/FrameRecords.cs", "Seq = stamp.Sequence,", "Seq = stamp.Sequence - (stamp.Sequence > 150 ? 1 : 0),", "Io", "*ASlowSubscriberHoldsNobodyUp"),
    ("18", "Io/Sinks/RollingSink.cs", "piece.Wait = Retry.Wait(piece.Failures++, _random());", "piece.Wait = TimeSpan.FromDays(++piece.Failures);", "Io", "*AFullDiskLosesWhatComesMeanwhileAndNothingElse"),
    ("19", "Io/Mqtt/MqttSink.cs", "else _outbox.Add(bundle);", "else { while (Broker is null) await Task.Delay(10, stop).ConfigureAwait(false); _outbox.Add(bundle); }", "Io", "*ADeadSinkDoesNotHoldTheModelUp"),
    ("21", "Core/Flow/FrameBatcher.cs", "return [.. boxes.Skip(first), .. boxes.Take(first)];", "return [.. boxes];", "Core", "*Four_cameras_are_served_alike_though_one_is_ten_times_as_fast"),
    ("25", "Core/Flow/SourceSupervisor.cs", "await Task.Delay(wait, time, waiting.Token)", "await Task.Delay(wait + (time.GetUtcNow() - time.GetUtcNow()).Duration(), time, waiting.Token)", "Core", "*A_wall_clock_that_jumps_changes_no_wait"),
    ("26", "Io/Capture/CameraSource.cs", "if (overdue) break;", "overdue = false;", "EndToEnd", "*AfterAPauseOfTheWholeProcessNoOldPicturePassesForANewOne"),
    ("31", "Core/Telemetry/Redaction.cs", "if (!text.Contains(\"://\", StringComparison.Ordinal)) return text;", "if (text.Length > 0) return text;", "Io", "*ThePasswordIsInNoArgumentAndNoMessage"),
    ("32", "Io/Mqtt/MqttTls.cs", "return _objection is null;", "return true;", "Io", "*AnExpiredOrForeignCertificateIsRefused"),
    ("33", "Cli/Yaml/YamlTreeReader.cs", "Deepest = 32", "Deepest = 500_000", "EndToEnd", "*BombsAndMonstersAreRefusedQuickly"),
    ("34", "Core/Configuration/OptionsCheck.cs", "if (value is { Length: >= 1 and <= 48 } && value.All(", "if (value.Length > 0 || value.All(", "Core", "*An_id_that_could_be_a_wildcard_or_a_path_is_refused"),
    ("buffers", "Io/Capture/CameraSource.cs", "if (!handedOver) pixels?.Dispose();", "if (!handedOver && sequence < 0) pixels?.Dispose();", "Io", "*AChildThatIsKilledInTheMiddleOfAPictureKeepsNoBuffer"),
]


root, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
chosen = [m for m in MUTANTS if not sys.argv[3:] or m[0] in sys.argv[3:]]
for name in subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True).stdout.split("\0")[:-1]:
    if os.path.isfile(f"{root}/{name}"):
        os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
        shutil.copy2(f"{root}/{name}", f"{folder}/{name}")
for rows, file, stands, instead, _, _ in chosen:
    if file is None:
        continue
    path = f"{folder}/src/MetaPrompts.{file}"
    with open(path) as f:
        text = f.read()
    if text.count(stands) != 1:
        sys.exit(f"row {rows}: {file} has {text.count(stands)} times: {stands}")
    with open(path, "w") as f:
        f.write(text.replace(stands, instead))

for project in sorted({m[4] for m in chosen}):
    built = subprocess.run(["dotnet", "build", f"{folder}/tests/MetaPrompts.{project}.Tests", "-c", "Release", "-v", "q", "-nologo", "-p:RunAnalyzers=false", "-p:TreatWarningsAsErrors=false"], capture_output=True, text=True)
    if built.returncode != 0:
        sys.exit(built.stdout[-3000:])

result = {}
for rows, _, _, _, project, method in chosen:
    report = f"{folder}/{rows}.xml"
    if os.path.exists(report):
        os.remove(report)
    # One that waits for ever has noticed, too.
    ran = subprocess.run(["timeout", "--signal=KILL", "240", "dotnet", "exec", f"{folder}/tests/MetaPrompts.{project}.Tests/bin/Release/net10.0/MetaPrompts.{project}.Tests.dll", "-noLogo", "-noColor", "-method", method, "-result-xml", report],
                         capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"})
    counts = [0, 0, 0]
    if os.path.exists(report):
        counts = [sum(int(a.get(k, 0)) for a in xml.parse(report).getroot().iter("assembly")) for k in ("failed", "passed", "skipped")]
    result[rows] = {"method": method.strip("*"), "failed": counts[0], "passed": counts[1], "skipped": counts[2], "exit": ran.returncode}
    print("row", rows, "notices" if counts[0] or (ran.returncode and not counts[2]) else "DOES NOT NOTICE", method.strip("*"), flush=True)
missed = [r for r, of in result.items() if of["failed"] == 0 and (of["exit"] == 0 or of["skipped"])]
print(json.dumps({"rows": result, "missed": missed}))
sys.exit(1 if missed else 0)
