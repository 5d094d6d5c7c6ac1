/**
 * The consent frame as a page of its own, for a phone of the owner's. Its address has a code in it that is shown on the
 * terminal alone: whoever knows that gets a ticket, as whoever can read the terminal does.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { WebFiles } from './files.ts'
import type { Answer } from './handler.ts'
import { ICON_SVG, iconPng } from './icon.ts'
import { pageAnswer } from './page.ts'

/** 128 bits, as 22 characters: a QR code of them can be read off a small window. */
const CODE_BYTES = 16
const NO_STORE = { 'cache-control': 'no-store' }
const REASON = 'This computer would like to use this phone, too.'

export interface PhoneOptions {
  files: WebFiles
  /** The peer for which the phone is to work. */
  peer: string
  /** A fresh ticket. */
  invite: () => Promise<string>
}

export interface Phone {
  /** What the QR code leads to, at an origin. */
  readonly path: string
  answer(path: string, origin: string): Promise<Answer | undefined>
}

/** It has the fragment that the element gives the frame. */
const redirect = async ({ files, peer, invite }: PhoneOptions, to: string): Promise<Answer> => {
  const asked = { mesh: await invite(), accept: peer, reason: REASON, pins: files.pins }
  return { status: 302, headers: { ...NO_STORE, location: `${to}#${new URLSearchParams(asked)}` }, body: '' }
}

/** As iOS draws it on a home screen; others take it where they do not take SVG. */
const PNG_SIDE = 180

/** What a phone needs to install it. Chromium asks for no service worker since 117. */
const MANIFEST = {
  id: '/lend',
  start_url: '/lend',
  scope: '/lend',
  display: 'standalone',
  name: 'Wayside: lend this phone',
  short_name: 'Wayside',
  background_color: '#ffffff',
  theme_color: '#ffffff',
  icons: [
    { src: '/lend.svg', sizes: 'any', type: 'image/svg+xml', purpose: 'any maskable' },
    { src: '/lend.png', sizes: `${PNG_SIDE}x${PNG_SIDE}`, type: 'image/png', purpose: 'any maskable' },
  ],
}
const file = (type: string, body: Answer['body']): Answer => ({
  status: 200,
  headers: { ...NO_STORE, 'content-type': type },
  body,
})

/** What an installed page begins with: the same for all, and without a ticket. */
const installed = (options: PhoneOptions): ReadonlyMap<string, Answer> =>
  new Map([
    ['/lend', alone(options)],
    ['/lend.webmanifest', file('application/manifest+json', JSON.stringify(MANIFEST))],
    ['/lend.svg', file('image/svg+xml', ICON_SVG)],
    ['/lend.png', file('image/png', iconPng(PNG_SIDE))],
  ])

const refusal = (): Answer =>
  pageAnswer(
    403,
    'This phone cannot lend here',
    `<h1>This phone cannot lend here</h1>
<p>A browser lets a page lend over https only. Open the address that begins with <code>https</code>, as the terminal shows
it, or scan its code again.</p>`,
  )

const OWN = "manifest-src 'self'; img-src 'self'"
const INSTALLABLE =
  '<link rel="manifest" href="/lend.webmanifest"><link rel="icon" href="/lend.svg"><link rel="apple-touch-icon" href="/lend.png">'

/** The frame's document, which nobody may put into another page here. */
const alone = ({ files }: PhoneOptions): Answer => {
  const file = files.files.get(files.frame)
  const policy = file?.headers['content-security-policy'] ?? "default-src 'none'"
  const headers = {
    ...file?.headers,
    ...NO_STORE,
    'content-type': file?.type ?? '',
    'content-security-policy': `${policy.replace(/; *frame-ancestors [^;]*/, '')}; ${OWN}; frame-ancestors 'none'`,
  }
  return { status: 200, headers, body: String(file?.body ?? '').replace('</title>', `</title>${INSTALLABLE}`) }
}

export const createPhone = (options: PhoneOptions): Phone => {
  const code = randomBytes(CODE_BYTES).toString('base64url')
  const expected = Buffer.from(code)
  const pages = installed(options)
  const isCode = (given: string) => {
    const bytes = Buffer.from(given)
    return bytes.length === expected.length && timingSafeEqual(bytes, expected)
  }
  return {
    path: `/phone-${code}`,
    answer: async (path, origin) => {
      if (pages.has(path)) return origin.startsWith('https:') ? pages.get(path) : refusal()
      const [, kind, given = ''] = /^\/(phone|lend)-([\w-]+)$/.exec(path) ?? []
      if (!kind || !isCode(given)) return undefined
      if (!origin.startsWith('https:')) return refusal()
      return kind === 'phone' ? redirect(options, `/lend-${code}`) : alone(options)
    },
  }
}
