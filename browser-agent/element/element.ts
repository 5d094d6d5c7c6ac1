/**
 * `<wayside-agent mesh="TICKET" accept="PEERID…" reason="TEXT">`: places the frame of a mesh's host, in which a person is
 * asked, and gives it the room that it says it needs. It decides nothing and loads nothing else.
 */

/** Written in by the build: the frame's file, the hash of its script, the hashes of what that loads later. */
declare const FRAME: string
declare const SCRIPT_POLICY: string
declare const PINNED: string

/** What a frame asks for: CSS pixels, and whether it keeps to a corner of the window. */
interface Room {
  wayside: [width: number, height: number, docked: boolean]
}

const ANSWER_MS_MAX = 20_000
/** A frame that has loaded has told its room by then, unless its script was not let run. */
const LOADED_MS_MAX = 2000
/** Whoever uses the page has the device: the frame is told, since it sees only what happens in it. */
const USES = ['pointerdown', 'pointermove', 'keydown', 'wheel']
const USED_EVERY_MS = 1000

/** Frames in the corner, one above the other: a badge that another one covers is not seen, and pauses. */
const docked = new Set<HTMLIFrameElement>()
/** Styles set here, not by a style sheet, which a site's policy might refuse. The scheme is the frame's own, or something opaque would be painted behind its round corners. */
const makeRoom = (frame: HTMLIFrameElement, [width, height, isDocked]: Room['wayside']): void => {
  const place = isDocked
    ? `position:fixed;inset-inline-end:8px;z-index:2147483647;width:${+width}px;max-width:calc(100% - 16px);max-height:calc(100% - 16px)`
    : 'width:100%;max-width:26em'
  frame.style.cssText = `display:block;border:0;color-scheme:light dark;height:${+height}px;${place}`
  docked[isDocked ? 'add' : 'delete'](frame)
  let bottom = 8
  for (const one of docked) {
    one.style.bottom = `${bottom}px`
    bottom += one.offsetHeight + 8
  }
}

const makeFrame = (src: string): HTMLIFrameElement => {
  const frame = document.createElement('iframe')
  frame.title = 'Wayside: lend computing power'
  // The frame names this site to the visitor.
  frame.referrerPolicy = 'strict-origin'
  // Its own windows, and itself: no forms, dialogs, downloads, and no other page in place of this one.
  frame.setAttribute('sandbox', 'allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox')
  // To be gentle to a hot device, to keep a phone awake if asked to, to reach agents on the visitor's own network.
  frame.allow = 'compute-pressure;screen-wake-lock;local-network-access;local-network;loopback-network'
  // Browsers that know it hold the document to this: no other script runs in it, whatever its host sends.
  frame.setAttribute('csp', SCRIPT_POLICY)
  frame.src = src
  makeRoom(frame, [0, 0, false])
  return frame
}

/** Gives the frame its room, and tells it of uses of the page, until the returned function is called. */
const attend = (frame: HTMLIFrameElement, origin: string, heard: () => void): (() => void) => {
  let usedAtMs = 0
  const listen = (event: MessageEvent<Room | undefined>) => {
    if (event.source !== frame.contentWindow || event.origin !== origin || !event.data?.wayside) return
    heard()
    makeRoom(frame, event.data.wayside)
  }
  const use = () => {
    if (performance.now() - usedAtMs < USED_EVERY_MS) return
    usedAtMs = performance.now()
    frame.contentWindow?.postMessage('used', origin)
  }
  const over = new AbortController()
  const { signal } = over
  addEventListener('message', listen, { signal })
  for (const name of USES) addEventListener(name, use, { capture: true, passive: true, signal })
  return () => {
    over.abort()
    makeRoom(frame, [0, 0, false])
  }
}

/** Defines the element. `hostOf` gives a URL of the host that serves the frame; it throws an Error for the site's owner. */
export const defineElement = (hostOf: (element: HTMLElement) => string): void => {
  class WaysideAgent extends HTMLElement {
    static readonly observedAttributes = ['mesh', 'accept', 'reason', 'host']
    readonly #root = this.attachShadow({ mode: 'open' })
    #src = ''
    #stopListening = () => {}

    connectedCallback(): void {
      // Attributes that are set right after it was put in place count too.
      queueMicrotask(() => this.#place())
    }

    attributeChangedCallback(): void {
      this.connectedCallback()
    }

    disconnectedCallback(): void {
      this.#stopListening()
      this.#src = ''
      this.#root.replaceChildren()
    }

    #place(): void {
      if (!this.isConnected) return
      const asked = (name: string) => this.getAttribute(name) ?? ''
      try {
        if (!asked('accept').trim()) throw new Error('accept="12D3KooW…" must name whose work visitors run')
        const [mesh, accept, reason] = ['mesh', 'accept', 'reason'].map(asked) as [string, string, string]
        const src = `${new URL(FRAME, hostOf(this))}#${new URLSearchParams({ mesh, accept, reason, pins: PINNED })}`
        // A frame that is in place stays: another one would begin anew.
        if (src !== this.#src) this.#put(src)
      } catch (error) {
        this.#refuse((error as Error).message)
      }
    }

    #refuse(why: string): void {
      this.disconnectedCallback()
      const text = `Wayside is not started: ${why}.`
      this.#root.append(text)
      console.error(this, text)
    }

    #put(src: string): void {
      this.disconnectedCallback()
      this.#src = src
      const { origin } = new URL(src)
      const frame = makeFrame(src)
      const refuse = () => this.#refuse(`${origin} does not answer, or not with what this page was promised`)
      let timer = setTimeout(refuse, ANSWER_MS_MAX)
      const settle = () => {
        clearTimeout(timer)
        frame.onload = null
      }
      frame.onload = () => {
        settle()
        timer = setTimeout(refuse, LOADED_MS_MAX)
      }
      const stop = attend(frame, origin, settle)
      this.#stopListening = () => {
        settle()
        stop()
      }
      this.style.display ||= 'block'
      this.#root.append(frame)
    }
  }

  if (!customElements.get('wayside-agent')) customElements.define('wayside-agent', WaysideAgent)
}
