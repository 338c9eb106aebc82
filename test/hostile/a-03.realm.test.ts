import { describe, expect, test } from "vitest";
import { AuthError } from "../../src/errors.ts";
import { checkRealm } from "../../src/registry/auth/realm-policy.ts";

const PUBLIC = "https://registry.example/v2/";

/** A name server of one table; unknown names have no address. */
function names(table: Record<string, string>): (host: string) => Promise<readonly string[]> {
  return async host => (table[host] === undefined ? [] : [table[host]]);
}

async function check(realm: string, registry = PUBLIC, table: Record<string, string> = {}): Promise<string> {
  return (await checkRealm(realm, new URL(registry), names(table))).href;
}

describe("A-03 a registry chooses the realm (CVE-2026-48978, GHSA-xf85-363p-868w, GHSA-28r5-37g7-p6mp)", () => {
  test.each([
    ["plain http under https", "http://auth.example/token"],
    ["a file", "file:///etc/passwd"],
    ["a script", "javascript:alert(1)"],
    ["a relative URL", "/token"],
    ["user information", "https://registry.example@evil.example/token"],
    ["a fragment", "https://auth.example/token#@registry.example"],
    ["cloud metadata", "https://169.254.169.254/latest/meta-data"],
    ["IPv6 metadata", "https://[fd00:ec2::254]/latest"],
    ["Alibaba metadata", "https://100.100.100.200/latest"],
    ["link-local IPv6", "https://[fe80::1]/token"],
    ["the unspecified address", "https://0.0.0.0/token"],
    ["the unspecified IPv6 address", "https://[::]/token"],
    ["loopback", "https://127.0.0.1/token"],
    ["localhost", "https://localhost/token"],
    ["a name below localhost", "https://auth.localhost/token"],
    ["IPv6 loopback", "https://[::1]/token"],
    ["IPv4-mapped loopback", "https://[::ffff:127.0.0.1]/token"],
    ["IPv4-mapped metadata in hexadecimal", "https://[::ffff:a9fe:a9fe]/token"],
    ["IPv4-compatible loopback", "https://[::127.0.0.1]/token"],
    ["NAT64 loopback", "https://[64:ff9b::7f00:1]/token"],
    ["6to4 private", "https://[2002:a00:1::]/token"],
    ["a private network", "https://10.1.2.3/token"],
    ["another private network", "https://192.168.0.1/token"],
    ["a private IPv6 network", "https://[fd12::1]/token"],
    ["a decimal address", "https://2130706433/token"],
    ["a hexadecimal address", "https://0x7f.0.0.1/token"],
    ["an octal address", "https://0177.0.0.1/token"],
    ["a backslash", "https://registry.example\\@evil.example/"],
    ["a tab", "https://evil\t.example/token"],
  ])("A-03 refuses %s", async (_what, realm) => {
    await expect(check(realm)).rejects.toThrow(AuthError);
  });

  test.each([
    ["link-local", "169.254.169.254"],
    ["loopback", "127.0.0.1"],
    ["private", "10.0.0.5"],
    ["mapped loopback", "::ffff:127.0.0.1"],
  ])("A-03 refuses a name that resolves to a %s address (CVE-2026-33540)", async (_what, address) => {
    const table = { "auth.example": address, "registry.example": "93.184.216.34" };
    await expect(check("https://auth.example/token", PUBLIC, table)).rejects.toThrow(AuthError);
  });

  test.each([
    ["another name", "https://auth.example/token?x=1", PUBLIC, {}],
    ["the registry's own host and port", "https://10.0.0.5:5000/token", "https://10.0.0.5:5000/", {}],
    ["a private token server of a private registry", "http://10.0.0.6/token", "http://10.0.0.5:5000/", {}],
    [
      "a private token server of a registry that resolves to one",
      "http://10.0.0.6/token",
      "http://registry.lan/",
      { "registry.lan": "10.0.0.5" },
    ],
    ["another loopback port of a loopback registry", "http://localhost:5001/auth", "http://127.0.0.1:5000/", {}],
    ["https for a plain http registry", "https://auth.example/token", "http://registry.example/", {}],
  ])("A-03 allows %s", async (_what, realm, registry, table) => {
    await expect(check(realm, registry, table)).resolves.toBe(realm);
  });

  test.each([
    ["loopback for a private registry", "http://127.0.0.1:8080/token"],
    ["metadata for a private registry", "http://169.254.169.254/token"],
  ])("A-03 refuses %s", async (_what, realm) => {
    await expect(check(realm, "http://10.0.0.5:5000/")).rejects.toThrow(AuthError);
  });

  test("A-03 message names the registry and keeps the realm's query out", async () => {
    const refused = check("https://127.0.0.1/token?token=canary");
    await expect(refused).rejects.toThrow(
      /^Cannot log in to registry\.example: token server "https:\/\/127\.0\.0\.1\/token" is at an address of this machine/,
    );
    await expect(refused).rejects.not.toThrow(/canary/);
  });
});
