/** `import 'wayside/element'` defines `<wayside-agent>`: of the same version as the agent that serves the frame. */
import { defineElement } from './element.ts'
import { hostOf } from './host.ts'

declare global {
  interface HTMLElementTagNameMap {
    'wayside-agent': HTMLElement
  }
}

// Sites that make their pages on a server import it there too.
if ('customElements' in globalThis)
  defineElement((element) => hostOf(element.getAttribute('host'), element.getAttribute('mesh') ?? '', location.href))
