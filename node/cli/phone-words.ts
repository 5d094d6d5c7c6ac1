/** What `up --phone` prints: a code for the phone's camera, and what the phone will say. */
import type { WebStatus } from '../web/serving.ts'
import { qrLines } from './qr.ts'
import { paintOut } from './terminal.ts'

/** What is made by nobody known is warned of, once a phone. */
const WARNING = `  The phone will warn: this computer made its certificate itself, so that nobody
  vouches for it. Tap "Advanced" (iPhone: "Show Details"), and visit all the same.
`

const INDENT = '  '

export const phoneWords = (phone: string, web: WebStatus | null, columns: number): string => {
  const isColour = paintOut('cyan', '.') !== '.'
  const code = qrLines(phone, columns - INDENT.length, isColour)
  const drawn = code?.map((line) => `${INDENT}${line}\n`).join('') ?? '  (This window is too narrow for a QR code.)\n'
  const isOwn = web?.origins.some((origin) => phone.startsWith(`${origin}/`)) ?? false
  return [
    `  A phone lends too: point its camera at this${isOwn ? '. Whoever opens the address is let into the mesh' : ''}.\n\n`,
    `${drawn}\n  ${paintOut('cyan', phone)}\n\n`,
    isOwn ? `${WARNING}\n` : '',
  ].join('')
}
