import { describe, expect, test } from "vitest";
import { RegistryError } from "../../../../src/errors.ts";
import { originOf, parseLocation } from "../../../../src/registry/origin/origin.ts";

const BASE = new URL("https://registry.lan:5000/v2/app/blobs/uploads/");

describe("originOf()", () => {
  test.each([
    ["https://Registry.LAN/x", "https://registry.lan:443"],
    ["https://registry.lan:443/", "https://registry.lan:443"],
    ["http://registry.lan", "http://registry.lan:80"],
    ["https://registry.lan./", "https://registry.lan.:443"],
    ["http://[0:0::1]:5000/v2/", "http://[::1]:5000"],
  ])("originOf() writes %s as %s", (url, origin) => {
    expect(originOf(new URL(url))).toBe(origin);
  });
});

describe("parseLocation()", () => {
  test.each([
    ["/v2/x?_state=a%2Fb%2f+c=", "https://registry.lan:5000/v2/x?_state=a%2Fb%2f+c="],
    ["next", "https://registry.lan:5000/v2/app/blobs/uploads/next"],
    ["?a=1&&b", "https://registry.lan:5000/v2/app/blobs/uploads/?a=1&&b"],
    ["https://bucket.s3.amazonaws.com/k?X-Amz-Signature=0", "https://bucket.s3.amazonaws.com/k?X-Amz-Signature=0"],
    ["//other.lan/x", "https://other.lan/x"],
    ["HTTP://Other.LAN:80/x#part", "http://other.lan/x"],
    ["http://10.0.0.7:9000/x", "http://10.0.0.7:9000/x"],
    ["https://[2001:DB8:0::1]/x", "https://[2001:db8::1]/x"],
    ["https://my_minio:9000/x", "https://my_minio:9000/x"],
  ])("parseLocation() reads %s", (raw, href) => {
    expect(parseLocation(raw, BASE).href).toBe(href);
  });

  test.each([
    ["nothing", ""],
    ["a tab", "https://regis\ttry.lan/"],
    ["a line break", "https://registry.lan/\n"],
    ["a blank", "https://registry.lan/a b"],
    ["a backslash host", "\\\\evil.lan\\x"],
    ["a backslash", "https:\\\\evil.lan/x"],
    ["user information", "https://registry.lan:5000@evil.lan/x"],
    ["user information without scheme", "//a:b@evil.lan/x"],
    ["a decimal address", "https://2130706433/"],
    ["a hexadecimal address", "https://0x7f.1/"],
    ["an octal address", "https://0177.0.0.1/"],
    ["a short address", "//127.1/"],
    ["an address with a dot behind", "https://127.0.0.1./"],
    ["a percent-encoded host", "https://%65vil.lan/"],
    ["a zone id", "http://[fe80::1%25eth0]/"],
    ["full-width letters", "https://ｅvil.lan/"],
    ["another scheme", "file:///etc/passwd"],
    ["a script", "javascript:alert(1)"],
    ["a scheme without slashes", "https:evil.lan"],
    ["too many slashes", "https:///evil.lan"],
    ["an empty port", "https://evil.lan:/"],
    ["a port out of range", "https://evil.lan:70000/"],
    ["17 KiB", `/${"a".repeat(17 * 1024)}`],
  ])("parseLocation() refuses %s", (_what, raw) => {
    expect(() => parseLocation(raw, BASE, 307)).toThrow(RegistryError);
    expect(() => parseLocation(raw, BASE, 307)).toThrow(
      /^Cannot follow location .* from registry\.lan:5000: .*, expected a plain/,
    );
  });

  test("parseLocation() leaves query and user information out of its message", () => {
    const read = (): URL => parseLocation("//user:secret-a@evil.lan/x?token=secret-b&z=secret-c", BASE);
    expect(read).toThrow('"//[redacted]@evil.lan/x"');
    expect(read).not.toThrow(/secret/);
  });
});
