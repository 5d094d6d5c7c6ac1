/** mustache: templates without logic. */
import Mustache from 'mustache'

const TEMPLATE =
  '{{#people}}{{name}}: {{#skills}}{{.}} {{/skills}}{{^skills}}none {{/skills}}{{{raw}}}{{raw}}\n{{/people}}'

export default function list(people: object[]) {
  return Mustache.render(TEMPLATE, { people })
}
