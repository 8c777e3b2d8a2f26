/**
 * A terminal's screen as SVG: rows of text with the few SGR codes that lib/tui paints. Text stays text, so that it can be
 * read, searched and copied; the colours are readable on light and dark pages since the screen has a ground of its own.
 */
interface Style {
  color?: string;
  is_bold: boolean;
  is_dim: boolean;
  is_inverse: boolean;
}

const PLAIN: Style = { is_bold: false, is_dim: false, is_inverse: false };
const COLORS: Readonly<Record<number, string>> = { 31: "#ff7b72", 32: "#7ee787", 33: "#e3b341" };
const GROUND = "#0d1117";
const INK = "#d0d7de";
const COLUMN = 7.2;
const ROW = 16;
const MARGIN = 12;

export function terminalSvg(rows: readonly string[], columns: number, title: string): string {
  const [width, height] = [Math.ceil(columns * COLUMN) + 2 * MARGIN, rows.length * ROW + 2 * MARGIN];
  const body = rows.flatMap((row, index) => rowElements(row, MARGIN + index * ROW));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">
<title>${escaped(title)}</title>
<rect width="${width}" height="${height}" rx="6" fill="${GROUND}"/>
<g font-family="ui-monospace,Menlo,Consolas,DejaVu Sans Mono,monospace" font-size="12" fill="${INK}">
${body.join("\n")}
</g>
</svg>
`;
}

function rowElements(row: string, top: number): string[] {
  const elements: string[] = [];
  let column = 0;
  let style = PLAIN;
  // deno-lint-ignore no-control-regex -- escape sequences are what is read here
  for (const [, codes, text] of row.matchAll(/\u001b\[([\d;]*)m|([^\u001b]+)/g)) {
    if (text === undefined) {
      style = (codes || "0").split(";").map(Number).reduce(styled, style);
      continue;
    }
    const x = (MARGIN + column * COLUMN).toFixed(1);
    const length = [...text].length;
    column += length;
    if (style.is_inverse) {
      const width = (length * COLUMN).toFixed(1);
      elements.push(`<rect x="${x}" y="${top}" width="${width}" height="${ROW}" fill="${INK}"/>`);
    }
    if (text.trim() === "") continue;
    const width = (text.trimEnd().length * COLUMN).toFixed(1);
    elements.push(
      `<text x="${x}" y="${top + 12}" textLength="${width}" xml:space="preserve"${attributesOf(style)}>` +
        `${escaped(text.trimEnd())}</text>`,
    );
  }
  return elements;
}

function styled(style: Style, code: number): Style {
  if (code === 0) return PLAIN;
  if (code === 1) return { ...style, is_bold: true };
  if (code === 2) return { ...style, is_dim: true };
  if (code === 22) return { ...style, is_bold: false, is_dim: false };
  if (code === 7) return { ...style, is_inverse: true };
  if (code === 27) return { ...style, is_inverse: false };
  if (code === 39) return { ...style, color: undefined };
  return COLORS[code] ? { ...style, color: COLORS[code] } : style;
}

function attributesOf({ color, is_bold, is_dim, is_inverse }: Style): string {
  const fill = is_inverse ? GROUND : color;
  return (fill ? ` fill="${fill}"` : "") + (is_bold ? ' font-weight="bold"' : "") +
    (is_dim ? ' opacity="0.65"' : "");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
