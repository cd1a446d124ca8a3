//! Things that are held by number: builders, trackers, buffers.
//!
//! As with handles, a number tells its place and how often the place was used, so that a thing that has ended is known by its number.

const SERIAL: u32 = isize::BITS / 2;
const PLACE_MASK: usize = (1 << (SERIAL - 1)) - 1;

struct Place<T> {
    number: isize,
    thing: Option<T>,
}

/// Things that are alive, by number.
pub(crate) struct Pool<T> {
    places: Vec<Place<T>>,
    free: Vec<usize>,
}

fn number(place: usize, serial: usize) -> isize {
    (serial << SERIAL | place << 1 | 1) as isize
}

impl<T> Pool<T> {
    pub const fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }

    /// Keeps `thing`; its number is not 0.
    pub fn insert(&mut self, thing: T) -> isize {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place { number: 0, thing: None });
            self.places.len() - 1
        });
        let slot = &mut self.places[place];
        slot.number = number(place, (slot.number as usize >> SERIAL) + 1);
        slot.thing = Some(thing);
        slot.number
    }

    /// The thing with this number, if it has not ended.
    pub fn get(&mut self, number: isize) -> Option<&mut T> {
        let place = self.places.get_mut((number as usize >> 1) & PLACE_MASK)?;
        if place.number == number { place.thing.as_mut() } else { None }
    }

    /// Those that have not ended.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.places.iter().filter_map(|place| place.thing.as_ref())
    }

    /// Ends the thing with this number.
    pub fn remove(&mut self, number: isize) -> Option<T> {
        self.get(number)?;
        let place = (number as usize >> 1) & PLACE_MASK;
        self.free.push(place);
        self.places[place].thing.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_used_once() {
        let mut pool = Pool::new();
        let first = pool.insert('a');
        assert_eq!(pool.get(first), Some(&mut 'a'));
        assert_eq!(pool.remove(first), Some('a'));
        let second = pool.insert('b');
        assert_eq!(pool.iter().collect::<Vec<_>>(), [&'b']);
        assert_ne!(first, second);
        assert_eq!(pool.get(first), None);
        assert_eq!(pool.remove(first), None);
        assert_eq!(pool.remove(second), Some('b'));
        assert_eq!(pool.get(0), None);
    }
}
