import { constants, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { UsageError } from "../../errors.ts";
import { digestOf } from "../digest.ts";
import type { SignLock } from "./lock-signature.ts";
import { MAX_PEM_BYTES, MIN_RSA_BITS } from "./public-key.ts";

/** Of a DER signature of ECDSA P-256: half of them have it, the others have 68 to 72. */
const ECDSA_BYTES = 71;
const SHA256_BYTES = 32;

/** A key that signs locks. All of its signatures have one size, so that the places of an archive can be planned. */
export interface SigningKey {
  readonly signatureBytes: number;
  readonly sign: SignLock;
}

/** Whether the key needs a passphrase, as far as its text says. */
export function isEncryptedKey(pem: string): boolean {
  return /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pem);
}

/**
 * A private key in PEM, as openssl writes it: PKCS #8, or the older forms; Ed25519, ECDSA P-256, or RSA, which signs with
 * PSS. Its signatures are those that openssl makes: of the bytes with Ed25519, of their sha256 with the others.
 *
 * @param where names the key in messages.
 * @throws UsageError for anything else, and for a passphrase that does not open it.
 */
export function parseSigningKey(pem: string, passphrase: string | undefined, where: string): SigningKey {
  const bad = (found: string, hint = HINT): UsageError =>
    new UsageError(`Cannot use ${where}: found ${found}, expected a private key in PEM (Ed25519, ECDSA P-256 or RSA)`, {
      hint,
    });
  if (pem.length > MAX_PEM_BYTES) throw bad(`more than ${MAX_PEM_BYTES} bytes`);
  if (/ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY/.test(pem)) throw bad("a key in cosign's own form");
  if (!/-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/.test(pem))
    throw bad(pem.includes("-----BEGIN PUBLIC KEY-----") ? "a public key" : "no private key");
  const isEncrypted = isEncryptedKey(pem);
  if (isEncrypted && passphrase === undefined) throw bad("an encrypted key and no passphrase", PASSPHRASE_HINT);
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem, format: "pem", passphrase: isEncrypted ? passphrase : undefined });
  } catch {
    throw isEncrypted ? bad("a key that the passphrase does not open", PASSPHRASE_HINT) : bad("a damaged private key");
  }
  const open = createPublicKey(key);
  const id = digestOf(open.export({ type: "spki", format: "der" }));
  const { bytes, algorithm, options } = methodOf(key, bad);
  const isRight = (lock: Uint8Array, found: Uint8Array): boolean =>
    found.length === bytes && verify(algorithm, lock, { key: open, ...options }, found);
  return {
    signatureBytes: bytes,
    sign: lock => {
      let signature: Uint8Array;
      do signature = sign(algorithm, lock, { key, ...options });
      while (signature.length !== bytes);
      return { bytes: signature, id, isAlike: found => isRight(lock, found) };
    },
  };
}

const HINT = 'Make one with "openssl genpkey -algorithm ed25519 -out key.pem".';
const PASSPHRASE_HINT = "Give the passphrase of the key by --sign-passphrase-file or IMGPACK_SIGN_PASSPHRASE.";

interface Method {
  readonly bytes: number;
  readonly algorithm: "sha256" | null;
  readonly options: { readonly dsaEncoding?: "der"; readonly padding?: number; readonly saltLength?: number };
}

function methodOf({ asymmetricKeyType: type, asymmetricKeyDetails }: KeyObject, bad: (found: string) => Error): Method {
  const { namedCurve, modulusLength = 0, hashAlgorithm, saltLength = 0 } = asymmetricKeyDetails ?? {};
  if (type === "ed25519") return { bytes: 64, algorithm: null, options: {} };
  if (type === "ec" && namedCurve === "prime256v1")
    return { bytes: ECDSA_BYTES, algorithm: "sha256", options: { dsaEncoding: "der" } };
  if (type !== "rsa" && type !== "rsa-pss") throw bad(`a key of type ${namedCurve ?? type ?? "unknown"}`);
  if (modulusLength < MIN_RSA_BITS) throw bad(`an RSA key of ${modulusLength} bits, which is too short`);
  if (hashAlgorithm !== undefined && hashAlgorithm !== "sha256") throw bad(`an RSA key for ${hashAlgorithm} alone`);
  return {
    bytes: Math.ceil(modulusLength / 8),
    algorithm: "sha256",
    options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: Math.max(SHA256_BYTES, saltLength) },
  };
}
