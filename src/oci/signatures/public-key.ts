import { constants, createPublicKey, type KeyObject, verify } from "node:crypto";
import { UsageError } from "../../errors.ts";
import { type Digest, digestOf } from "../digest.ts";

export const MAX_PEM_BYTES: number = 64 * 1024;
export const MIN_RSA_BITS = 2048;

/** Checks signatures with one key. */
export interface PublicKey {
  /** For messages: "ECDSA P-256". */
  readonly kind: string;
  /** sha256 of the key in DER (SubjectPublicKeyInfo). */
  readonly id: Digest;
  /** Of signatures as cosign makes them. */
  isValid(payload: Uint8Array, signature: Uint8Array): boolean;
  /** Of signatures as `SigningKey` and openssl make them: they differ for RSA, which is PSS there. */
  signsLock(lock: Uint8Array, signature: Uint8Array): boolean;
}

/**
 * A key of `cosign generate-key-pair` (ECDSA P-256) or of openssl: also Ed25519, or RSA, which cosign uses with PKCS #1 v1.5.
 *
 * @param where names the key in messages.
 * @throws UsageError for anything else.
 */
export function parsePublicKey(pem: string, where: string): PublicKey {
  const bad = (found: string): UsageError =>
    new UsageError(`Cannot use ${where}: found ${found}, expected a public key in PEM (ECDSA P-256, Ed25519 or RSA)`, {
      hint: 'Make one with "openssl pkey -in key.pem -pubout", or with "cosign public-key --key cosign.key".',
    });
  if (pem.length > MAX_PEM_BYTES) throw bad(`more than ${MAX_PEM_BYTES} bytes`);
  // Node would take the public half of it.
  if (/PRIVATE KEY/.test(pem)) throw bad("a private key, which belongs nowhere near an archive");
  if (!/-----BEGIN PUBLIC KEY-----/.test(pem)) throw bad("no public key");
  let key: KeyObject;
  try {
    key = createPublicKey({ key: pem, format: "pem" });
  } catch {
    throw bad("a damaged public key");
  }
  const id = digestOf(key.export({ type: "spki", format: "der" }));
  const { namedCurve, modulusLength = 0, hashAlgorithm } = key.asymmetricKeyDetails ?? {};
  const type = key.asymmetricKeyType;
  const checking =
    (algorithm: "sha256" | null, options: object): PublicKey["isValid"] =>
    (payload, signature) =>
      verify(algorithm, payload, { key, ...options }, signature);
  if (type === "ec" && namedCurve === "prime256v1") {
    const isValid = checking("sha256", { dsaEncoding: "der" });
    return { kind: "ECDSA P-256", id, isValid, signsLock: isValid };
  }
  if (type === "ed25519") {
    const isValid = checking(null, {});
    return { kind: "Ed25519", id, isValid, signsLock: isValid };
  }
  if (type !== "rsa" && type !== "rsa-pss") throw bad(`a key of type ${namedCurve ?? type ?? "unknown"}`);
  if (modulusLength < MIN_RSA_BITS) throw bad(`an RSA key of ${modulusLength} bits, which is too short`);
  if (hashAlgorithm !== undefined && hashAlgorithm !== "sha256") throw bad(`an RSA key for ${hashAlgorithm} alone`);
  const signsLock = checking("sha256", { padding: constants.RSA_PKCS1_PSS_PADDING });
  const isValid = type === "rsa" ? checking("sha256", { padding: constants.RSA_PKCS1_PADDING }) : signsLock;
  return { kind: `RSA ${modulusLength}`, id, isValid, signsLock };
}
