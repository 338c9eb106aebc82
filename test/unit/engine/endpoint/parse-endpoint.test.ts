import { describe, expect, test } from "vitest";
import { parseEndpoint } from "../../../../src/engine/endpoint/parse-endpoint.ts";
import { UsageError } from "../../../../src/errors.ts";

const parsed = (address: string, tls?: { rejectUnauthorized: boolean }) =>
  parseEndpoint("docker", address, "DOCKER_HOST", tls);

describe("parseEndpoint()", () => {
  test.each([
    ["unix:///var/run/docker.sock", { socketPath: "/var/run/docker.sock" }],
    ["npipe:////./pipe/docker_engine", { socketPath: "\\\\.\\pipe\\docker_engine" }],
    ["tcp://build.lan", { host: "build.lan", port: 2375 }],
    ["tcp://build.lan:80", { host: "build.lan", port: 80 }],
    ["tcp://10.0.0.1:4243/", { host: "10.0.0.1", port: 4243 }],
    ["tcp://[::1]:2375", { host: "::1", port: 2375 }],
    ["tcp://[::1]", { host: "::1", port: 2375 }],
    ["http://build.lan:1234", { host: "build.lan", port: 1234 }],
    ["https://build.lan", { host: "build.lan", port: 2376 }],
  ])("parseEndpoint() reads %s", (address, at) => {
    expect(parsed(address)).toMatchObject({ at, address });
  });

  test("parseEndpoint() uses docker's port for TLS", () => {
    const tls = { rejectUnauthorized: true };
    expect(parsed("tcp://build.lan", tls)).toMatchObject({ at: { host: "build.lan", port: 2376 }, tls });
    expect(parsed("https://build.lan").tls).toEqual(tls);
    expect(parsed("tcp://build.lan").tls).toBeUndefined();
  });

  test.each([
    "",
    "build.lan",
    "unix://relative",
    "fd://",
    "tcp://",
    "tcp://u:p@build.lan",
    "tcp://a b",
    "tcp://h/path",
  ])("parseEndpoint() refuses %j", address => {
    expect(() => parsed(address)).toThrow(UsageError);
  });

  test("parseEndpoint() refuses ssh:// and names the pipe that does the same", () => {
    expect(() => parsed("ssh://me@build.lan")).toThrow(
      expect.objectContaining({
        hint: 'Use ssh itself: "ssh me@build.lan docker save IMAGE | imgpack push -", or "imgpack pull REF -o - | ssh me@build.lan docker load".',
      }),
    );
    expect(() => parsed("ssh://x;rm\u001b")).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("ssh x docker") }),
    );
  });

  test("parseEndpoint() escapes the address in messages", () => {
    expect(parsed("unix:///a\u001b[31m").what).toBe("docker at unix:///a\\u{1b}[31m");
  });
});
