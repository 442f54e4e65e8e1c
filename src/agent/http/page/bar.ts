import { type Html, html } from './html.ts';

interface BarPart {
  /** Of the whole bar; what is beyond it is cut. */
  readonly fraction: number;
  readonly className: string;
}

/**
 * A bar; later parts are drawn over earlier ones. Decoration: the numbers beside it say the same. Drawn as an SVG, because
 * the policy of the page forbids style attributes.
 */
export function bar(...parts: readonly BarPart[]): Html {
  return html`<svg class="bar" aria-hidden="true">
    ${parts.map(
      ({ fraction, className }) => html`<rect class="${className}" width="${percent(fraction)}" height="100%" />`,
    )}
  </svg>`;
}

/** `12.34%` */
export function percent(fraction: number): string {
  const within = Number.isFinite(fraction) ? Math.min(1, Math.max(0, fraction)) : 0;
  return `${Number((within * 100).toFixed(2))}%`;
}
