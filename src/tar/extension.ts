import { checkLinkTarget, decodeUtf8 } from "./clean-name.ts";
import { decodeLongName, MAX_LONG_NAME_BYTES } from "./gnu-long-name.ts";
import type { TarHeader } from "./header.ts";
import { MIN_BASE256_SIZE } from "./number.ts";
import { decodePax, MAX_PAX_BYTES, type PaxOverrides } from "./pax.ts";
import { refusal, type TarPlace } from "./refusal.ts";
import type { NameOrigin, TarEntryType } from "./tar-entry.ts";

export type ExtensionType = "pax" | "pax-global" | "gnu-long-name" | "gnu-long-link";

export function isExtension(type: TarHeader["type"]): type is ExtensionType {
  return type === "pax" || type === "pax-global" || type === "gnu-long-name" || type === "gnu-long-link";
}

/**
 * The extensions of one entry: at most one PAX header, or one GNU long name and one GNU long link, right before it. Readers
 * disagree on every other order.
 */
export class Extension {
  #pax: PaxOverrides | undefined;
  #longName: string | undefined;
  #longLink: string | undefined;
  #since: number | undefined;

  /** Offset of the first extension header that waits for its entry. */
  get since(): number | undefined {
    return this.#since;
  }

  /** Checks an extension by its header, before its body of `size` bytes is read. */
  announce(type: ExtensionType, size: number, offset: number, place: TarPlace): void {
    const isPax = type === "pax" || type === "pax-global";
    const limit = isPax ? MAX_PAX_BYTES : MAX_LONG_NAME_BYTES;
    if (size > limit) {
      const reason = isPax ? "pax-too-large" : "gnu-name-too-long";
      throw refusal(reason, place, `an extension of ${size} bytes`, `at most ${limit}`);
    }
    // tar-stream would read the missing records after the next body.
    if (isPax && size === 0) throw refusal("pax-empty", place, "a PAX header without a record", "at least one");
    if (type === "pax-global") {
      if (this.#since !== undefined) throw refusal("orphaned-meta", place, "a global header after it", "its entry");
      return;
    }
    const isRepeated =
      (type === "pax" && this.#pax !== undefined) ||
      (type === "gnu-long-name" && this.#longName !== undefined) ||
      (type === "gnu-long-link" && this.#longLink !== undefined);
    if (isRepeated) throw refusal("repeated-meta", place, `two ${type} extensions in a row`, "one before each entry");
    if (this.#since !== undefined && (isPax || this.#pax !== undefined)) {
      throw refusal("mixed-meta", place, "PAX and GNU extensions of one entry", "one kind of them");
    }
    this.#since ??= offset;
  }

  take(type: ExtensionType, body: Uint8Array, place: TarPlace): void {
    if (type === "gnu-long-name") this.#longName = decodeLongName(body, place);
    else if (type === "gnu-long-link") this.#longLink = decodeLongName(body, place);
    else if (type === "pax") this.#pax = decodePax(body, "entry", place);
    else decodePax(body, "global", place);
  }

  clear(): void {
    this.#pax = this.#longName = this.#longLink = this.#since = undefined;
  }

  nameOf(header: TarHeader, place: TarPlace): { readonly text: string; readonly origin: NameOrigin } {
    if (this.#longName !== undefined) return { text: this.#longName, origin: "gnu" };
    if (this.#pax?.path !== undefined) return { text: this.#pax.path, origin: "pax" };
    const text = decodeUtf8(header.name, place);
    return { text, origin: text.startsWith("./") ? "cleaned" : "header" };
  }

  sizeOf(header: TarHeader, type: TarEntryType, place: TarPlace): number {
    const size = this.#pax?.size ?? header.size;
    if (type !== "file" && (size !== 0 || header.size !== 0)) {
      throw refusal(`${type}-with-body`, place, `a ${type} of ${Math.max(size, header.size)} bytes`, "no body");
    }
    // From 8 GiB on, GNU tar, Python and Go write 0 as the header's size; below, only an attack does.
    if (size !== header.size && (header.size !== 0 || size < MIN_BASE256_SIZE)) {
      const reason = header.size === 0 ? "pax-size-over-empty" : "pax-size-mismatch";
      throw refusal(reason, place, `PAX size ${size} over header size ${header.size}`, "two equal sizes");
    }
    return size;
  }

  linkNameOf(header: TarHeader, type: TarEntryType, place: TarPlace): string | undefined {
    const linkName = this.#longLink ?? this.#pax?.linkPath;
    if (type === "symlink" || type === "hardlink") {
      const target = linkName ?? decodeUtf8(header.linkName, place);
      checkLinkTarget(target, place);
      return target;
    }
    if (linkName !== undefined) {
      throw refusal("link-target-without-link", place, `a link target for a ${type}`, "none");
    }
    return undefined;
  }
}
