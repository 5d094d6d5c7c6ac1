/** `<wayside-agent>`: places the frame of the mesh's host, in which a person is asked. */

/** Written in by the build. */
declare const FRAME: string
declare const POLICY: string
declare const PINNED: readonly string[]

class WaysideAgent extends HTMLElement {
  connectedCallback(): void {
    const frame = document.createElement('iframe')
    frame.setAttribute('csp', POLICY)
    frame.src = `${new URL(FRAME, import.meta.url)}#${PINNED}`
    this.append(frame)
  }
}

customElements.define('wayside-agent', WaysideAgent)
