import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";

export interface FieldProps {
  label: string;
  /** The label is only for screen readers. */
  quiet?: boolean;
  name?: string;
  value?: string;
  required?: boolean;
  class?: string;
  /** Called with each value that may be. */
  set?: (value: string) => void;
}

interface PickedProps extends FieldProps {
  may: (text: string) => boolean;
  /** What is wrong with a text that may not be, in the page's language. */
  wrong: string;
  placeholder: string;
  /** A panel to pick from, opened by a button with that name. */
  open?: string;
  panel?: (typed: string, pick: (value: string) => void, close: () => void) => ComponentChildren;
}

/** A value of fixed form, typed, or picked from a panel in the page's language: a browser's own
 * fields for days, months and times speak the browser's. */
export function Picked({ label, quiet, name, value, required, class: more = "", set, may, wrong, placeholder, open: opens, panel }: PickedProps) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const [open, setOpen] = useState(false);
  const told = (text: string) => {
    const good = may(text);
    input.current?.setCustomValidity(good || !text ? "" : wrong);
    return good;
  };
  const close = () => {
    setOpen(false);
    input.current?.focus();
  };
  const pick = (picked: string) => {
    if (!told(picked) || !input.current) return;
    input.current.value = picked;
    close();
    set?.(picked);
  };
  const left = (event: FocusEvent) => {
    if (!box.current?.contains(event.relatedTarget as Node | null)) setOpen(false);
  };
  return (
    <div class={`date-field ${more}`} ref={box} onFocusOut={left}>
      <label for={id} class={quiet ? "sr" : ""}>
        {label}
      </label>
      <span class={panel ? "date-box" : "date-box bare"}>
        <input
          id={id}
          ref={input}
          name={name}
          inputMode="numeric"
          autocomplete="off"
          placeholder={placeholder}
          maxLength={placeholder.length}
          required={required}
          defaultValue={value}
          onInput={(e) => told(e.currentTarget.value)}
          onChange={(e) => told(e.currentTarget.value) && set?.(e.currentTarget.value)}
        />
        {panel && (
          <button type="button" class="date-open" aria-expanded={open} aria-label={opens} onClick={() => setOpen(!open)}>
            <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.5">
              <path d="M2 4h12v10H2zM2 7h12M5 2v3M11 2v3" />
            </svg>
          </button>
        )}
      </span>
      {open && panel?.(input.current?.value ?? "", pick, close)}
    </div>
  );
}

/** What a panel of days or months stands on: keys step by `steps`, and the focus goes along;
 * Escape closes. */
export function useSteps(at: string, steps: Record<string, (value: string) => string>, close: () => void) {
  const [value, go] = useState(at);
  const grid = useRef<HTMLTableElement>(null);
  const byKey = useRef(true);
  useLayoutEffect(() => {
    if (byKey.current) grid.current?.querySelector<HTMLElement>("[tabindex='0']")?.focus();
    byKey.current = false;
  }, [value]);
  const key = (event: KeyboardEvent) => {
    const step = steps[event.key];
    if (event.key === "Escape") close();
    else if (step) {
      byKey.current = true;
      go(step);
    } else return;
    event.preventDefault();
  };
  return { value, go, grid, key };
}
