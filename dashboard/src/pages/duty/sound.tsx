import { useEffect, useState } from "preact/hooks";
import { t } from "../../i18n";

let audio: AudioContext | null = null;

function beep(): void {
  if (!audio) return;
  const tone = audio.createOscillator();
  const level = audio.createGain();
  level.gain.value = 0.15;
  tone.frequency.value = 880;
  tone.connect(level).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.2);
}

/** Browsers sound only after a tap: one tap allows it; then every 2 s while something is unacknowledged. */
export function SoundSwitch({ sounding }: { sounding: boolean }) {
  const [on, setOn] = useState(audio !== null);
  useEffect(() => {
    if (!on || !sounding) return undefined;
    const id = setInterval(beep, 2000);
    return () => clearInterval(id);
  }, [on, sounding]);
  const toggle = () => {
    if (on) void audio?.close();
    audio = on ? null : new AudioContext();
    setOn(!on);
  };
  return (
    <button type="button" class="button" aria-pressed={on} onClick={toggle}>
      {t(on ? "duty.soundOn" : "duty.soundOff")}
    </button>
  );
}
