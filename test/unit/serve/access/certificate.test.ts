import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { checkServerTls } from "../../../../src/serve/access/certificate.ts";
import { TEST_TLS } from "../../../support/test-tls.ts";

const NOW = Date.parse("2026-06-01");
const { privateKey: otherKey } = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
const { privateKey: lockedKey } = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "open" },
});

test("a pair that is valid has no note; one that expires is used and noted", () => {
  expect(checkServerTls(TEST_TLS, NOW)).toEqual([]);
  expect(checkServerTls(TEST_TLS, Date.parse("2119-12-25"))).toEqual([
    expect.stringMatching(/^The certificate expires on 2120-01-01, in 7 days$/),
  ]);
  expect(checkServerTls(TEST_TLS, Date.parse("2120-01-02"))).toEqual([
    "The certificate expired on 2120-01-01: clients will refuse it",
  ]);
  expect(checkServerTls(TEST_TLS, Date.parse("2019-12-31"))).toEqual([
    "The certificate is not valid before 2020-01-01: clients will refuse it until then",
  ]);
});

const { cert, key } = TEST_TLS;
test.each([
  ["no certificate", { cert: key, key }, "Cannot use the certificate for TLS: found no certificate that can be read"],
  ["half a certificate", { cert: cert.replace(/\nMII.*/, ""), key }, "found no certificate that can be read"],
  ["no key", { cert, key: cert }, "Cannot use the private key for TLS: found no key that can be read"],
  ["the key of another", { cert, key: otherKey }, "it belongs to another certificate, expected the first one"],
  ["an encrypted key", { cert, key: lockedKey }, "it is encrypted, expected its passphrase"],
  ["another passphrase", { cert, key: lockedKey, passphrase: "no" }, "the passphrase does not fit"],
])("says what is wrong with %s", (_, tls, message) => {
  expect(() => checkServerTls(tls, NOW)).toThrow(message);
});
