/** marked: Markdown to HTML, with tables and code. */
import { Marked } from 'marked'

const marked = new Marked({ gfm: true })

export default function render(markdown: string) {
  return marked.parse(markdown)
}
