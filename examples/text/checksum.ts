/** CRC-32 with the polynomial of IEEE 802.3, reflected: what zip and PNG use. Eight hexadecimal digits. */
export const checksum = (bytes: Uint8Array): string => {
  let rest = -1
  for (const byte of bytes) {
    rest ^= byte
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0)
  }
  return (~rest >>> 0).toString(16).padStart(8, '0')
}
