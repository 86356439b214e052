"""How the tree of a page looks on paper: a Typst program that reads it as data, so that no text can become code."""

STYLE = r"""
#let data = json(bytes(sys.inputs.document))
#let ink = rgb("#1f2933")
#let quiet = rgb("#52606d")
#let line-colour = rgb("#cbd2d9")
#let tint = rgb("#f0f4f8")
#let blue = rgb("#0b4f8a")
#let text-width = 170mm
#let tallest = 190mm // of a picture: it and what is said of it fit one page

#set document(title: data.title, date: auto)
#let running(left, right) = {
  set text(size: 8.5pt, fill: quiet)
  grid(columns: (1fr, auto), column-gutter: 1em, left, right)
}
#set page(
  paper: "a4", margin: (x: 20mm, top: 24mm, bottom: 22mm),
  header: context if here().page() > 1 {
    running(data.title, if data.study != data.title { data.study })
  },
  footer: context running(
    [release #data.release], numbering("1 / 1", here().page(), counter(page).final().first()),
  ),
)
#set text(font: "Libertinus Serif", size: 10.5pt, fill: ink, lang: data.language, hyphenate: false)
#set par(leading: 0.62em, spacing: 0.85em)
#set list(indent: 0.4em, spacing: 0.7em)
#set enum(indent: 0.4em, spacing: 0.7em)
#set table(stroke: (bottom: 0.5pt + line-colour, rest: none), inset: (left: 0pt, right: 10pt, y: 3pt))
#show table.cell: set par(leading: 0.5em)
#set figure(numbering: none, supplement: none, gap: 0.6em)
#set figure.caption(position: bottom)
#show figure: set align(left)
#show figure.caption: it => text(size: 9pt, fill: quiet, it.body)
#show raw: set text(font: "DejaVu Sans Mono", size: 0.8em)
#show link: set text(fill: blue)
#show heading.where(level: 1): it => block(above: 0.5em, below: 0.6em, text(size: 21pt, it.body))
#show heading.where(level: 2): it => block(above: 2em, below: 0.9em, width: 100%, sticky: true,
  stroke: (top: 0.5pt + line-colour), inset: (top: 0.8em), text(size: 14.5pt, it.body))
#show heading.where(level: 3): it => block(above: 1.4em, below: 0.7em, sticky: true, text(size: 11.5pt, it.body))

#let small(body) = text(size: 9pt, fill: quiet, body)
#let badge(body) = box(stroke: 0.6pt + quiet, radius: 4pt, inset: (x: 4pt), outset: (y: 2.5pt),
  text(size: 8.5pt, fill: quiet, body))
#let picture(node) = {
  let size = calc.min(text-width, node.width * 0.75pt, tallest * node.width / node.height)
  image(bytes(node.source), format: "svg", width: size, alt: node.description)
}
#let is-heading(node) = "level" in node

#let render(node) = {
  if type(node) == str { return text(node) }
  let name = node.name
  let classes = node.classes
  let has(class) = class in classes
  let body = node.children.map(render).join()
  // spans
  if name in ("strong", "b", "dfn") { return strong(body) }
  if has("interval") { return text(fill: quiet, body) }
  if name in ("em", "i", "cite", "var") { return emph(body) }
  if name in ("code", "kbd") { return text(font: "DejaVu Sans Mono", size: 0.8em, body) }
  if name == "br" { return linebreak() }
  if name == "sub" { return sub(body) }
  if name == "sup" { return super(body) }
  if name == "small" { return small(body) }
  if name == "u" { return underline(body) }
  if name == "mark" { return highlight(fill: tint, body) }
  if name == "q" { return "“" + body + "”" }
  if name == "a" {
    if node.href == "" { return body }
    return link(if node.href.starts-with("#") { label(node.href.slice(1)) } else { node.href }, body)
  }
  if name in ("span", "abbr", "time") {
    if has("state") { return badge(body) }
    if has("count") { return h(1fr) + small(body) }
    return body
  }
  if name == "anchor" { return [#metadata(none)#label(node.id)] }
  // blocks
  if is-heading(node) { return heading(level: node.level, body) }
  if name == "svg" { return picture(node) }
  if name == "hr" { return line(length: 100%, stroke: 0.5pt + line-colour) }
  if name in ("ul", "ol") {
    let items = node.children.filter(child => child.name == "li")
    if has("flow") {
      return stack(spacing: 5pt, ..items.map(item => {
        let is-stage = "stage" in item.classes
        block(width: 100%, breakable: false, inset: if is-stage { 7pt } else { (left: 12pt, y: 2pt) },
          stroke: if is-stage { 0.8pt + blue } else { (left: 1.2pt + blue) },
          radius: if is-stage { 3pt } else { 0pt }, item.children.map(render).join())
      }))
    }
    let bodies = items.map(item => item.children.map(render).join())
    return if name == "ul" { list(..bodies) } else { enum(..bodies) }
  }
  if name == "dl" {
    return terms(separator: [: ], hanging-indent: 1.2em, ..node.items.map(item => terms.item(
      item.term.map(render).join(), item.blocks.map(render).join(parbreak()))))
  }
  if name == "table" {
    let cell(it, is-head, is-total) = {
      let words = it.children.map(render).join()
      let is-strong = is-head or is-total or it.scope == "row"
      table.cell(
        colspan: it.colspan, rowspan: it.rowspan, breakable: it.long,
        align: top + if "number" in it.classes { right } else { left },
        text(weight: if is-strong { 600 } else { 400 }, fill: if is-head { quiet } else { ink }, words))
    }
    let cells(rows, is-head) = rows.map(row => row.cells.map(it => cell(it, is-head, "total" in row.classes))).flatten()
    let size = if node.columns <= 5 { 9.5pt } else if node.columns <= 8 { 8.5pt } else { 7pt }
    let head = if node.head.len() > 0 { (table.header(..cells(node.head, true)),) } else { () }
    return {
      set text(size: size)
      if body != none { block(below: 0.5em, sticky: true, small(body)) }
      table(columns: node.columns, ..head, ..cells(node.rows, false))
    }
  }
  if name == "figure" {
    let simple = node.children.all(child => child.name in ("svg", "div", "figcaption"))
    let captions = node.children.filter(child => child.name == "figcaption")
    let rest = node.children.filter(child => child.name != "figcaption").map(render).join()
    let words = captions.map(it => it.children.map(render).join()).join()
    return block(breakable: not simple, width: 100%, figure(rest, caption: words, kind: image, alt: node.alt))
  }
  if name == "summary" {
    return block(above: 1.2em, below: 0.6em, sticky: true, text(weight: 600, fill: blue, body))
  }
  if name == "blockquote" { return quote(block: true, body) }
  if name in ("figcaption", "caption") { return par(small(body)) }
  if name in ("p", "run") {
    if has("kicker") { return block(below: 1.2em, small(body)) }
    if has("headline") { return block(sticky: true, text(size: 12pt, weight: 600, body)) }
    let said = if has("question") {
      text(size: 12.5pt, body)
    } else if has("meta") or has("note") or has("formula") { small(body) } else { body }
    return par(said)
  }
  if has("short") {
    return block(width: 100%, fill: tint, stroke: (left: 3pt + blue), inset: 10pt, {
      show heading.where(level: 2): it => block(below: 0.8em, sticky: true, text(size: 14.5pt, it.body))
      body
    })
  }
  body
}

#for block in data.blocks { render(block) }
#if data.lost > 0 {
  render((name: "p", classes: ("note",), children: (data.lost-note,)))
}
"""
