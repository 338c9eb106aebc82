// Someone who has the executable and a shell follows the README, without a network.
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, probePodman } from "../integration/peers/describe-with.ts";
import { executable } from "../support/command.ts";
import { type EmptyRoom, librariesOf, openEmptyRoom, probeEmptyRoom } from "./empty-room.ts";
import { loadInPodman, succeed, walkQuickStart } from "./walk.ts";

const built = { name: "executable (IMGPACK_BIN)", missing: executable === undefined ? "not given" : undefined };
const podman = await probePodman();

describeWith([built, await probeEmptyRoom()], "a newcomer with the executable alone", () => {
  let room: EmptyRoom;
  let pulled: string;

  beforeAll(async () => {
    room = await openEmptyRoom([], await librariesOf(executable ?? ""));
    await copyFile(executable ?? "", join(room.root, "usr/local/bin/imgpack"));
  });
  afterAll(async () => await room?.close());

  test("starts it", async () => {
    expect(await succeed(room, "imgpack --version")).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("pushes, pulls and verifies an image", async () => {
    pulled = await walkQuickStart(room);
  });

  describeWith([podman], "podman", () => {
    test("loads what was pulled", async () => {
      expect(await loadInPodman(pulled)).toContain("localhost:5000/site:1");
    });
  });
});
