"""What `board_chip.py` opens for parts that need it: buses, tones, infra-red in and out."""

import array
import sys
import time

import machine

EDGES = 256  # of one infra-red frame: Midea's has 200
QUIET_US = 40000  # a frame is over: Gree's inner gap is 20 ms


def i2c(number, how):
    """A bus by {"scl", "sda", "freq"}."""
    return machine.I2C(
        number,
        scl=machine.Pin(how["scl"]),
        sda=machine.Pin(how["sda"]),
        freq=how.get("freq", 100000),
    )


def uart(number, how):
    """A serial line by {"tx", "rx", "baud"}."""
    return machine.UART(
        number,
        baudrate=how["baud"],
        tx=machine.Pin(how["tx"]),
        rx=machine.Pin(how["rx"]),
        rxbuf=512,
        timeout=0,
    )


def tone(number):
    """`play(hertz)` on a pin by PWM; 0 is silence."""
    pwm = machine.PWM(machine.Pin(number))
    pwm.duty_u16(0)

    def play(hertz):
        if hertz:
            pwm.freq(hertz)
        pwm.duty_u16(32768 if hertz else 0)

    return play


def pulses(number):
    """`send(microseconds)`: marks and spaces in turn on a 38 kHz carrier."""
    if sys.platform == "esp32":
        import esp32

        rmt = esp32.RMT(  # 1 µs a tick
            0, pin=machine.Pin(number), clock_div=80, tx_carrier=(38000, 33, 1)
        )
        return lambda times: rmt.write_pulses(tuple(times), 1)
    from firmware.drivers import ir_pio

    return ir_pio.sender(machine.Pin(number))


def heard(number):
    """`listen()` -> marks and spaces (µs) of a frame that has ended, or None.

    On the Pico by PIO. Else by edge interrupts into a buffer that is there beforehand: the
    ESP32's wrapper of the RMT does not receive.
    """
    if sys.platform == "rp2":
        from firmware.drivers import ir_pio

        return ir_pio.listener(machine.Pin(number, machine.Pin.IN), EDGES, QUIET_US)
    times = array.array("H", bytes(2 * EDGES))
    at = [0, time.ticks_us()]  # edges so far, the last one's time
    pin = machine.Pin(number, machine.Pin.IN)

    def edge(_):
        now = time.ticks_us()
        if at[0] < EDGES:
            times[at[0]] = min(time.ticks_diff(now, at[1]), 65535)
            at[0] += 1
        at[1] = now

    def listen():
        if not at[0] or time.ticks_diff(time.ticks_us(), at[1]) < QUIET_US:
            return None
        frame = list(times[1 : at[0]])  # the first one is the silence before
        at[0] = 0
        return frame

    pin.irq(edge, machine.Pin.IRQ_RISING | machine.Pin.IRQ_FALLING)
    return listen
