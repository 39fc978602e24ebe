"""A program that comes to one place three times, for the tests of crash points."""

from rewards_service.kit.crash_points import crash_point

if __name__ == "__main__":
    for turn in range(3):
        crash_point("here")
        print(turn, flush=True)
