/** js-yaml: YAML read and written. */
import { dump, load } from 'js-yaml'

export default function sorted(text: string) {
  return dump(load(text), { sortKeys: true, lineWidth: 60 })
}
