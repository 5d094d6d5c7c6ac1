/**
 * All that the frame does before a person agrees: says who asks for what, and judges a press of its button. It runs in the
 * mesh host's origin: the page around it can place it, cover it and move it, but not reach into it.
 *
 * The same document in a window of its own, opened by the frame, is where a person agrees: no page reaches over that. At
 * /lend-CODE of an agent it is a page of its own, for a phone whose owner was shown that address; at /lend the same, installed.
 */
import type { lend } from './lending.ts'
import { loadPinned } from './load.ts'
import { judgePress } from './press.ts'
import { type LendRequest, readRequest } from './request.ts'

/** What is loaded afterwards, and its hashes, which the loader has too: written in by the build. */
declare const CHUNKS: readonly string[]
declare const PINNED: string

const element = (id: string) => document.getElementById(id) as HTMLElement
const main = document.querySelector('main') as HTMLElement
const [note, lendButton, later] = ['note', 'lend', 'later'].map(element) as [HTMLElement, HTMLElement, HTMLElement]
const framed = window !== top
const alone = location.pathname.startsWith('/lend')
// Installed on a phone it begins with what was agreed on last, as lending.ts kept it, whatever the address says.
const asked = new URLSearchParams(location.pathname === '/lend' ? localStorage.asked : location.hash.slice(1))
const token = asked.get('step')

const originOf = (url: string): string => url && new URL(url).origin
const site = framed
  ? (location.ancestorOrigins?.[0] ?? originOf(document.referrer))
  : alone
    ? location.origin
    : (asked.get('site') ?? '')

const say = (state: string, text: string): void => {
  main.dataset.state = state
  note.textContent = text
}

const refuse = (why: string): void => {
  say('refused', `Wayside is not started: ${why}.`)
  console.error(note.textContent)
}

/** Why nothing can be lent here, if so. */
const obstacle = (): string | false =>
  (!framed && !alone && !token && 'this is a part of other pages') ||
  (parent !== top && 'this page is inside of another page') ||
  (!/^http/.test(site) && 'this page does not tell who it is') ||
  (framed && site === location.origin && 'the page and its mesh host have one address') ||
  (!isSecureContext && 'the page or its mesh host is without https') ||
  (!alone && asked.get('pins') !== PINNED && 'its mesh host has another version')

/** Tells the page around how much room this takes: at once, since a frame out of sight is not drawn, and then when it changes. */
const announceRoom = (): void => {
  const tell = () => {
    const { width, height } = main.getBoundingClientRect()
    const docked = main.dataset.state === 'lending'
    parent.postMessage({ wayside: [Math.ceil(width), Math.ceil(height), docked] }, '*')
  }
  tell()
  new ResizeObserver(tell).observe(main)
}

const describe = ({ accept, reason }: LendRequest): void => {
  element('site').textContent = new URL(site).host
  const named = element('accept')
  named.textContent = accept.map((peer) => `${peer.slice(0, 4)}…\u2060${peer.slice(-8)}`).join(', ')
  named.title = `${accept}`
  element('reason').textContent = reason && `“${reason}”`
}

const begin = async (request: LendRequest, choice: string): Promise<void> => {
  say('starting', 'Starting…')
  try {
    const hashes = PINNED.split(',')
    const load = (index: number) => loadPinned(CHUNKS[index] as string, hashes[index])
    const [agentUrl, workerUrl, engineUrl] = await Promise.all([load(0), load(1), load(2)])
    const lending: { lend: typeof lend } = await import(agentUrl)
    await lending.lend({ request, main, workerUrl, engineUrl, tierUrl: () => load(3), choice })
  } catch (error) {
    refuse((error as Error).message)
  }
}

/** The browser says that a person did it, and that this frame was used just now: neither can be changed from outside of it. */
const isByPerson = (event: Event) => event.isTrusted && navigator.userActivation.isActive

/** A window that a site cuts off looks from here as one that was blocked. */
const NO_WINDOW = 'Your browser blocked the window that asks: allow it, and press Lend. If it opened, it says why.'

/**
 * In the frame a press opens the window that asks, one at a time, and no more: a page can lay what it likes over a frame,
 * and a mask does not show in what browsers tell a frame of its sight (decision 38).
 */
const askInWindow = (agreed: () => void): (() => void) => {
  const step = crypto.randomUUID()
  asked.set('step', step)
  asked.set('site', site)
  let opened: Window | null = null
  const hear = ({ origin, source, data }: MessageEvent) => {
    if (origin !== location.origin || !opened || source !== opened || data !== step) return
    removeEventListener('message', hear)
    agreed()
  }
  addEventListener('message', hear)
  return () => {
    if (opened && !opened.closed) return opened.focus()
    opened = open(`${location.pathname}#${asked}`, '', 'popup,width=440,height=320')
    say('asking', opened ? 'Please confirm in the window.' : NO_WINDOW)
  }
}

/** Calls `agreed` when a person means it. */
const hearPresses = (agreed: () => void): void => {
  const now = () => performance.now()
  let heldSinceMs = now()
  const hold = () => {
    heldSinceMs = now()
  }
  document.addEventListener('visibilitychange', hold)
  addEventListener('focus', hold)
  lendButton.onclick = (event) => {
    const verdict = judgePress(isByPerson(event), now() - heldSinceMs)
    if (verdict === 'agreed') agreed()
    else say('asking', 'Press Lend once more, if you mean it.')
    hold()
  }
}

/** In the window: a press is told to the frame that opened it. */
const confirm = (): void => {
  if (!opener)
    throw new Error(
      'the page that asks cuts itself off by Cross-Origin-Opener-Policy; its owner finds a way in docs/EMBED.md',
    )
  later.onclick = () => close()
  hearPresses(() => {
    opener?.postMessage(token, location.origin)
    close()
  })
}

const ask = (request: LendRequest): void => {
  const choice = JSON.stringify([site, request.mesh, request.accept])
  const agreed = () => void begin(request, choice)
  if (localStorage.getItem(choice)) return agreed()
  later.onclick = () => say('later', '')
  if (alone) return hearPresses(agreed)
  const openWindow = askInWindow(agreed)
  lendButton.onclick = (event) => {
    if (main.dataset.state === 'later') say('asking', '')
    else if (isByPerson(event)) openWindow()
  }
}

if (!framed) main.dataset.alone = ''
// What was asked is what was read: whoever changes it asks anew.
addEventListener('hashchange', () => location.reload())
try {
  const wrong = obstacle()
  if (wrong) throw new Error(wrong)
  const request = readRequest((name) => asked.get(name))
  describe(request)
  framed || alone ? ask(request) : confirm()
} catch (error) {
  refuse((error as Error).message)
}
if (framed) announceRoom()
