// The measured functions, for nanobind.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

struct Point {
    long x = 1, y = 2;
    long sum() const
    {
        return x + y;
    }
};

NB_MODULE(rival, m)
{
    m.def("no_argument", [] {});
    m.def("one_object", [](nb::object object) { return object; });
    m.def("two_longs", [](long a, long b) { return a + b; });
    nb::class_<Point>(m, "Point").def(nb::init<>()).def("sum", &Point::sum);
}
