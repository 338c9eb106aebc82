import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PIECE_SIZES } from "../../../src/serve/content/checked-blobs.ts";
import { digestOf, makeFolder, pushBlob, pushImage, send, start } from "./registry-client.ts";

test("/healthz is 200, and 503 without paths while the store cannot be read", async () => {
  const store = await makeFolder();
  const registry = await start({ store });
  const good = await send(registry, "GET", "/healthz");
  expect([good.status, JSON.parse(good.body.toString())]).toEqual([200, { status: "ok", damage: 0 }]);
  await rename(join(store, "blobs"), join(store, "elsewhere"));
  const bad = await send(registry, "GET", "/healthz");
  expect(bad.status).toBe(503);
  expect(JSON.parse(bad.body.toString())).toEqual({ status: "failing", found: "the store cannot be read", damage: 0 });
  expect((await send(registry, "POST", "/healthz")).headers.allow).toBe("GET, HEAD");
});

test("/metrics counts requests, bytes and damage in the text format of Prometheus, with few labels whatever clients send", async () => {
  const store = await makeFolder();
  const registry = await start({ store });
  await pushImage(registry, "app", "1");
  // Two pieces, of which the first one is right.
  const { pieceBytes } = PIECE_SIZES;
  const blob = Buffer.alloc(pieceBytes + 1000, "x");
  const digest = await pushBlob(registry, "app", blob);
  const hex = digest.slice(7);
  await send(registry, "GET", `/v2/app/blobs/${digest}`);
  await writeFile(join(store, "blobs", "sha256", hex.slice(0, 2), hex), blob.fill("y", pieceBytes));
  await expect(send(registry, "GET", `/v2/app/blobs/${digest}`)).rejects.toMatchObject({ code: "ECONNRESET" });
  for (let count = 0; count < 50; count += 1) await send(registry, "GET", `/v2/${count}/blobs/${digestOf(`${count}`)}`);
  await send(registry, "PROPFIND", "/v2/%00");
  const { status, headers, body } = await send(registry, "GET", "/metrics");
  expect([status, headers["content-type"]]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
  const text = body.toString();
  for (const line of text.split("\n").slice(0, -1)) {
    expect(line).toMatch(
      /^(?:# (?:HELP [a-z_]+ .+|TYPE [a-z_]+ (?:counter|gauge|summary))|[a-z_]+(?:\{[a-z]+="[^"\\]+"(?:,[a-z]+="[^"\\]+")*\})? [0-9.e+-]+)$/,
    );
  }
  const value = (name: string): number =>
    Number(
      text
        .split("\n")
        .find(line => line.startsWith(`${name} `))
        ?.split(" ")[1],
    );
  expect(value('imgpack_requests_total{method="GET",route="blob",status="404"}')).toBe(50);
  expect(value('imgpack_requests_total{method="GET",route="blob",status="200"}')).toBe(2);
  expect(value('imgpack_cut_answers_total{method="GET",route="blob",status="200"}')).toBe(1);
  expect(value('imgpack_answer_bytes_total{method="GET",route="blob",status="200"}')).toBe(blob.length + pieceBytes);
  expect(value('imgpack_requests_total{method="other",route="other",status="400"}')).toBe(1);
  expect(value("imgpack_damage_found")).toBe(1);
  expect(value("imgpack_running_transfers")).toBe(0);
  expect(value("imgpack_received_bytes_total")).toBeGreaterThan(1000);
  expect(text).toContain('imgpack_build_info{version="');
  expect(text.split("\n").length).toBeLessThan(80);
});
