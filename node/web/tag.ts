/** The tag that a site owner puts into a page. */
import type { WebFiles } from './files.ts'

/** Two elements, as text. `origin`: where the files are served, such as `https://mesh.example`. */
export const embedTag = (
  { loader, integrity }: Pick<WebFiles, 'loader' | 'integrity'>,
  { origin, ticket, accept }: { origin: string; ticket: string; accept: string },
): string =>
  `<script type="module" src="${origin}/${loader}" integrity="${integrity}" crossorigin></script>
<wayside-agent mesh="${ticket}" accept="${accept}" reason="Say here what visitors help with"></wayside-agent>
`
