/**
 * Writes numbers and texts compactly: numbers as variable-length integers (LEB128, up to 2^53),
 * texts as their length and their UTF-8 bytes. `unpack` reads them back in the same order.
 */
export function createPacker() {
  const bytes: number[] = [];
  const packer = {
    number(value: number): void {
      let left = value;
      for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
      bytes.push(left);
    },
    text(value: string): void {
      const utf8 = Buffer.from(value);
      packer.number(utf8.length);
      for (const byte of utf8) bytes.push(byte);
    },
    finish: (): Buffer => Buffer.from(bytes),
  };
  return packer;
}

/**
 * Reads the output of a packer. Throws a RangeError when it is shorter than the requested values.
 */
export function createUnpacker(bytes: Uint8Array) {
  let at = 0;
  const unpacker = {
    number(): number {
      let value = 0;
      for (let scale = 1; ; scale *= 0x80) {
        const byte = bytes[at++];
        if (byte === undefined) throw new RangeError("The packed content ends too early");
        value += (byte & 0x7f) * scale;
        if (byte < 0x80) return value;
      }
    },
    text(): string {
      const length = unpacker.number();
      at += length;
      if (at > bytes.length) throw new RangeError("The packed content ends too early");
      return Buffer.from(bytes.subarray(at - length, at)).toString();
    },
  };
  return unpacker;
}
