/** The tag that a site owner puts into a page. */
import type { WebFiles } from './files.ts'

/** To be replaced by who copies it. */
const REASON = 'Say here what visitors help with'

/** Two elements, as text. `origin`: where the files are served, such as `https://mesh.example`. */
export const embedTag = (
  { loader, integrity }: Pick<WebFiles, 'loader' | 'integrity'>,
  { origin, ticket, accept, reason = REASON }: { origin: string; ticket: string; accept: string; reason?: string },
): string =>
  `<script type="module" src="${origin}/${loader}" integrity="${integrity}" crossorigin></script>
<wayside-agent mesh="${ticket}" accept="${accept}" reason="${reason}"></wayside-agent>
`
