/** handlebars: a letter from a template, which it compiles to code. */
import Handlebars from 'handlebars'

const engine = Handlebars.create()
engine.registerHelper('upper', (text: string) => text.toUpperCase())
engine.registerPartial('line', '{{count}} × {{name}}{{#unless @last}}, {{/unless}}')

const letter = engine.compile('Dear {{upper name}},\n{{#each lines}}{{> line}}{{else}}nothing{{/each}}.\n{{note}}')

export default function write(orders: object[]) {
  return orders.map((order) => letter(order))
}
