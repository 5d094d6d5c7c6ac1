/** pako: gzip there and back. */
import { gzip, inflate, ungzip } from 'pako'

export default function squeeze(text: string) {
  const packed = gzip(new TextEncoder().encode(text))
  return {
    smaller: packed.length < text.length / 4,
    same: new TextDecoder().decode(ungzip(packed)) === text,
    magic: [...packed.subarray(0, 3)],
    raw: new TextDecoder().decode(inflate(packed)).length,
  }
}
